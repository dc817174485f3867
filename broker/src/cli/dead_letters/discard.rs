//! `broker dead-letters discard`.

use clap::Args;

use crate::cli::{client::Client, confirm::Confirmation, human::clean, output::Output, source::BySource};

/// Discard one dead letter
#[derive(Args, Debug)]
pub(super) struct Discard {
    /// Of which queue
    queue: String,
    /// Its id; all of this id are discarded
    id: String,
    #[command(flatten)]
    source: BySource,
    #[command(flatten)]
    confirmation: Confirmation,
}

impl Discard {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let Self { queue, id, source, confirmation } = self;
        confirmation.ask(&format!("Discard the dead letter {} of {queue} for good?", clean(&id)))?;
        client.delete(source.narrow(client.url(&["queues", &queue, "dead-letters", &id]))).await?;
        out.done(format_args!("dead letter {} of {queue} discarded", clean(&id)))
    }
}
