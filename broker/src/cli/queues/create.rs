//! `broker queues create`.

use clap::Args;

use super::{Queue, settings::Settings};
use crate::cli::{client::Client, output::Output};

/// Create a queue
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  broker queues create jobs
  broker queues create payments --ordering key --max-deliveries 5 --backoff-max 10m
  broker queues create jobs --max-messages 5000 --or-set")]
pub(super) struct Create {
    /// What to call it: 1 to 128 of a-z A-Z 0-9 . _ -
    #[arg(value_name = "QUEUE")]
    name: String,
    /// Where it exists already, change its settings instead of failing
    #[arg(long)]
    or_set: bool,
    #[command(flatten)]
    settings: Settings,
}

impl Create {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let url = client.url(&["queues", &self.name]);
        let body = match self.or_set {
            true => client.put(url, &self.settings).await?,
            false => client.create(url, &self.settings).await?,
        };
        let said = if self.or_set { "is there, as asked" } else { "created" };
        out.answer(client, &body, |out, queue: Queue| out.line(format_args!("queue {} {said}", queue.name)))
    }
}
