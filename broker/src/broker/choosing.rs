//! Putting a subscription's filter to what a topic retains, ahead of the command that takes it: the engine then
//! has only to look at what came meanwhile, and nobody waits while a million events are read.

use broker_core::{
    command::{Chosen, Command},
    identity::Sequence,
};

use super::Broker;
use crate::{engine::decide::passes, error::BrokerError};

/// How many events are read at a time.
const AT_ONCE: usize = 256;

impl Broker {
    /// The command with those of the retained messages chosen that its filter lets pass; as it is where no
    /// filter stands in its way.
    ///
    /// # Errors
    /// What [`BrokerError`] lists.
    pub async fn choose_ahead(&self, mut command: Command) -> Result<Command, BrokerError> {
        let asked = command.clone();
        let seen = self.look(move |core, _| Some((core.to_be_chosen(&asked)?, core.high_water())));
        let Some(((filter, candidates), next)) = seen.await? else { return Ok(command) };
        let mut passing = Vec::new();
        for slice in candidates.chunks(AT_ONCE) {
            for (sequence, found) in slice.iter().zip(self.records(slice.to_vec()).await?) {
                // One that was let go of since the look has no record any more.
                if found.is_some_and(|found| passes(&filter, *sequence, &found)) {
                    passing.push(*sequence);
                }
            }
        }
        if let Some(chosen) = command.chosen_mut() {
            *chosen = Chosen::Before { passing, before: Sequence(next.next_sequence) };
        }
        Ok(command)
    }
}
