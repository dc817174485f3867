//! `broker dead-letters purge`.

use clap::Args;
use serde::Deserialize;

use super::selection::Selection;
use crate::cli::{client::Client, confirm::Confirmation, human::things, output::Output};

/// Discard the dead letters of a queue that fit, or all
#[derive(Args, Debug)]
pub(super) struct Purge {
    /// Of which queue
    queue: String,
    #[command(flatten)]
    confirmation: Confirmation,
    #[command(flatten)]
    selection: Selection,
}

#[derive(Deserialize)]
struct Purged {
    purged: u64,
}

impl Purge {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let Self { queue, confirmation, selection } = self;
        let which = selection.in_words();
        confirmation.ask(&format!("Discard dead letters of {queue} for good: {which}?"))?;
        let url = client.url(&["queues", &queue, "dead-letters", "purge"]);
        let body = client.post(url, &selection).await?;
        out.answer(client, &body, |out, Purged { purged }| {
            out.line(format_args!("{} of {queue} discarded", things(purged, "dead letter")))
        })
    }
}
