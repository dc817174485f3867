//! `broker queues set`.

use clap::Args;

use super::{Queue, settings::Settings};
use crate::cli::{client::Client, output::Output, settings::facts, table::Table};

/// Change settings of a queue
#[derive(Args, Debug)]
pub(super) struct Set {
    /// Which queue
    #[arg(value_name = "QUEUE")]
    name: String,
    #[command(flatten)]
    settings: Settings,
}

impl Set {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let url = client.url(&["queues", &self.name]);
        // A PUT would create one that is not there.
        client.get(url.clone()).await?;
        let body = client.put(url, &self.settings).await?;
        out.answer(client, &body, |out, queue: Queue| {
            out.table(Table::facts("SETTINGS", facts(&queue.settings)))
        })
    }
}
