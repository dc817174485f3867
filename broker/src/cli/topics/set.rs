//! `broker topics set`.

use clap::Args;

use super::{Topic, settings::Settings};
use crate::cli::{client::Client, output::Output, settings::facts, table::Table};

/// Change settings of a topic
#[derive(Args, Debug)]
pub(super) struct Set {
    /// Which topic
    #[arg(value_name = "TOPIC")]
    name: String,
    #[command(flatten)]
    settings: Settings,
}

impl Set {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let url = client.url(&["topics", &self.name]);
        // A PUT would create one that is not there.
        client.get(url.clone()).await?;
        let body = client.put(url, &self.settings).await?;
        out.answer(client, &body, |out, topic: Topic| {
            out.table(Table::facts("SETTINGS", facts(&topic.settings)))
        })
    }
}
