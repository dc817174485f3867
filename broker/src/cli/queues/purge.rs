//! `broker queues purge`.

use clap::Args;
use serde::Deserialize;

use crate::cli::{client::Client, confirm::Confirmation, human::things, output::Output};

/// Drop the ready and delayed messages of a queue
#[derive(Args, Debug)]
pub(super) struct Purge {
    /// Which queue
    #[arg(value_name = "QUEUE")]
    name: String,
    #[command(flatten)]
    confirmation: Confirmation,
}

#[derive(Deserialize)]
struct Purged {
    purged: u64,
}

impl Purge {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let Self { name, confirmation } = self;
        confirmation.ask(&format!("Drop all ready and delayed messages of the queue {name}?"))?;
        let body = client.post(client.url(&["queues", &name, "purge"]), &serde_json::json!({})).await?;
        out.answer(client, &body, |out, Purged { purged }| {
            out.line(format_args!("{} of {name} dropped", things(purged, "message")))
        })
    }
}
