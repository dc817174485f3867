//! `broker dead-letters`: count, list, show, groups, redrive, purge, discard.

use clap::{Args, Subcommand};

use super::{client::Client, output::Output};

mod count;
mod discard;
mod groups;
mod list;
mod purge;
mod redrive;
mod selection;
mod show;

/// List, show, group, redrive and discard dead letters; without a command it counts them by queue
#[derive(Args, Debug)]
pub(super) struct DeadLetters {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Count the dead letters of each queue (the default)
    Count(count::Count),
    /// List the dead letters of a queue, newest first
    List(list::List),
    /// Show a dead letter with its message and every failure
    Show(show::Show),
    /// Group the dead letters of a queue by type and reason
    Groups(groups::Groups),
    /// Deliver dead letters again: those of the ids, those that fit, or all
    Redrive(Box<redrive::Redrive>),
    /// Discard the dead letters of a queue that fit, or all
    Purge(purge::Purge),
    /// Discard one dead letter
    Discard(discard::Discard),
}

impl DeadLetters {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        match self.what.unwrap_or(What::Count(count::Count {})) {
            What::Count(count) => count.run(client, out).await,
            What::List(list) => list.run(client, out).await,
            What::Show(show) => show.run(client, out).await,
            What::Groups(groups) => groups.run(client, out).await,
            What::Redrive(redrive) => redrive.run(client, out).await,
            What::Purge(purge) => purge.run(client, out).await,
            What::Discard(discard) => discard.run(client, out).await,
        }
    }
}
