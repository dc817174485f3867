//! `broker topics create`.

use clap::Args;

use super::{Topic, settings::Settings};
use crate::cli::{client::Client, output::Output};

/// Create a topic
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  broker topics create orders
  broker topics create orders --retention 7d --or-set")]
pub(super) struct Create {
    /// What to call it: 1 to 128 of a-z A-Z 0-9 . _ -
    #[arg(value_name = "TOPIC")]
    name: String,
    /// Where it exists already, change its settings instead of failing
    #[arg(long)]
    or_set: bool,
    #[command(flatten)]
    settings: Settings,
}

impl Create {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let url = client.url(&["topics", &self.name]);
        let body = match self.or_set {
            true => client.put(url, &self.settings).await?,
            false => client.create(url, &self.settings).await?,
        };
        let said = if self.or_set { "is there, as asked" } else { "created" };
        out.answer(client, &body, |out, topic: Topic| out.line(format_args!("topic {} {said}", topic.name)))
    }
}
