//! `broker messages remove`.

use clap::Args;

use crate::cli::{client::Client, confirm::Confirmation, human::clean, output::Output, source::BySource};

/// Remove a message that waits, a delayed one too
#[derive(Args, Debug)]
pub(super) struct Remove {
    /// Out of which queue
    queue: String,
    /// Its id; all of this id are removed
    id: String,
    #[command(flatten)]
    source: BySource,
    #[command(flatten)]
    confirmation: Confirmation,
}

impl Remove {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let Self { queue, id, source, confirmation } = self;
        confirmation.ask(&format!("Remove the message {} from {queue}?", clean(&id)))?;
        client.delete(source.narrow(client.url(&["queues", &queue, "messages", &id]))).await?;
        out.done(format_args!("message {} removed from {queue}", clean(&id)))
    }
}
