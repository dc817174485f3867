//! `broker topics delete`.

use clap::Args;

use crate::cli::{client::Client, confirm::Confirmation, output::Output};

/// Delete a topic with its subscriptions; messages already in queues stay
#[derive(Args, Debug)]
pub(super) struct Delete {
    /// Which topic
    #[arg(value_name = "TOPIC")]
    name: String,
    #[command(flatten)]
    confirmation: Confirmation,
}

impl Delete {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let Self { name, confirmation } = self;
        confirmation.ask(&format!("Delete the topic {name} with its subscriptions and what it retains?"))?;
        client.delete(client.url(&["topics", &name])).await?;
        out.done(format_args!("topic {name} deleted"))
    }
}
