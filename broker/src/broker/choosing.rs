//! Choosing what a replay, or a subscription that begins with what is retained, takes by a filter: beside the
//! engine's thread, see [`crate::engine::choosing`].

use broker_core::command::Command;

use super::Broker;
use crate::{
    engine::choosing::{self, FEW},
    error::BrokerError,
};

impl Broker {
    /// Puts all to the filter that the command may take, until only few are left, which the engine does.
    pub(super) async fn choose(&self, mut command: Command) -> Result<Command, BrokerError> {
        loop {
            let look = self.look(move |core, _| {
                let candidates = core.to_be_chosen(&command, FEW);
                (command, candidates)
            });
            let (mut looked, candidates) = look.await?;
            let Some(candidates) = candidates.filter(|candidates| candidates.len() == FEW) else {
                return Ok(looked);
            };
            let read = self.readers.read(move |reader| {
                choosing::choose(reader, &mut looked, candidates)?;
                Ok(looked)
            });
            command = read.await?;
        }
    }
}
