//! `broker messages`: what waits in a queue, and one message's journey; show, list, remove.

use clap::{Args, Subcommand};

use super::{client::Client, output::Output};

mod list;
mod remove;
mod show;

/// Look at a queue's waiting messages, at one message's journey, or remove one
#[derive(Args, Debug)]
pub(super) struct Messages {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show what happened to a message: where it went, each delivery and how it ended
    Show(show::Show),
    /// List what waits in a queue, without leasing it
    List(list::List),
    /// Remove a message that waits, a delayed one too
    Remove(remove::Remove),
}

impl Messages {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        match self.what {
            What::Show(show) => show.run(client, out).await,
            What::List(list) => list.run(client, out).await,
            What::Remove(remove) => remove.run(client, out).await,
        }
    }
}
