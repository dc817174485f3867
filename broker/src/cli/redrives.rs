//! `broker redrives`: the paced redrives; list, show, stop.

use clap::{Args, Subcommand};
use serde::Deserialize;
use units::Timestamp;

use super::{client::Client, output::Output, pages::Paging};

pub(super) mod follow;
mod list;
mod show;
mod stop;

/// List, follow and stop paced redrives; without a command it lists
#[derive(Args, Debug)]
pub(super) struct Redrives {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the paced redrives, newest first (the default)
    List(list::List),
    /// Show how far a paced redrive is
    Show(show::Show),
    /// Stop a paced redrive and forget it; what was redriven stays so
    Stop(stop::Stop),
}

impl Redrives {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        match self.what.unwrap_or_else(|| What::List(list::List { paging: Paging::default() })) {
            What::List(list) => list.run(client, out).await,
            What::Show(show) => show.run(client, out).await,
            What::Stop(stop) => stop.run(client, out).await,
        }
    }
}

/// A paced redrive, as the contract has it.
#[derive(Debug, Deserialize)]
struct Redrive {
    task: String,
    queue: String,
    to: String,
    per_second: u64,
    state: String,
    redriven: u64,
    /// How many had their turn and were not redriven.
    #[serde(default)]
    skipped: u64,
    remaining: u64,
    waiting_for: Option<String>,
    stopped: Option<String>,
    started_at: Timestamp,
}

impl Redrive {
    /// Its state, and what it waits for or why it ended early.
    fn standing(&self) -> String {
        match (&self.waiting_for, &self.stopped) {
            (Some(what), _) => format!("{}, waits: {what}", self.state),
            (None, Some(why)) => format!("{}: {why}", self.state),
            (None, None) => self.state.clone(),
        }
    }
}
