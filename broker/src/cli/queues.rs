//! `broker queues`: list, show, create, set, delete, purge.

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{client::Client, output::Output};

mod create;
mod delete;
mod list;
mod purge;
mod set;
mod settings;
mod show;

/// List, create, change, empty and delete queues; without a command it lists
#[derive(Args, Debug)]
pub(super) struct Queues {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List all queues with what is in them (the default)
    List(list::List),
    /// Show a queue: its settings, what is in it, its totals
    Show(show::Show),
    /// Create a queue
    Create(Box<create::Create>),
    /// Change settings of a queue
    Set(Box<set::Set>),
    /// Delete a queue with its subscriptions, and with --force its messages
    Delete(delete::Delete),
    /// Drop the ready and delayed messages of a queue
    Purge(purge::Purge),
}

impl Queues {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        match self.what.unwrap_or(What::List(list::List {})) {
            What::List(list) => list.run(client, out).await,
            What::Show(show) => show.run(client, out).await,
            What::Create(create) => create.run(client, out).await,
            What::Set(set) => set.run(client, out).await,
            What::Delete(delete) => delete.run(client, out).await,
            What::Purge(purge) => purge.run(client, out).await,
        }
    }
}

/// A queue, as the contract has it.
#[derive(Debug, Deserialize)]
struct Queue {
    name: String,
    settings: Map<String, Value>,
    counts: Counts,
}

/// What is in a queue, and its totals.
#[derive(Debug, Deserialize)]
struct Counts {
    ready: u64,
    leased: u64,
    delayed: u64,
    dead: u64,
    bytes: u64,
    oldest_age: Option<String>,
    /// The running totals, by name.
    #[serde(flatten)]
    totals: Map<String, Value>,
}
