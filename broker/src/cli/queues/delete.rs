//! `broker queues delete`.

use clap::Args;

use crate::cli::{client::Client, confirm::Confirmation, output::Output};

/// Delete a queue with its subscriptions, and with --force its messages
#[derive(Args, Debug)]
pub(super) struct Delete {
    /// Which queue
    #[arg(value_name = "QUEUE")]
    name: String,
    /// With all messages in it, dead letters too, and without asking
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    confirmation: Confirmation,
}

impl Delete {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let Self { name, force, confirmation } = self;
        if !force {
            confirmation.ask(&format!("Delete the queue {name}?"))?;
        }
        let mut url = client.url(&["queues", &name]);
        if force {
            url.query_pairs_mut().append_pair("force", "true");
        }
        client.delete(url).await?;
        out.done(format_args!("queue {name} deleted"))
    }
}
