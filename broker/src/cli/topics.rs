//! `broker topics`: list, show, create, set, delete, messages, subscribe, unsubscribe, replay.

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{client::Client, output::Output};

mod create;
mod delete;
mod list;
mod messages;
mod replay;
mod set;
mod settings;
mod show;
mod subscribe;
mod unsubscribe;

/// List, create, change and delete topics; subscribe queues to them; without a command it lists
#[derive(Args, Debug)]
pub(super) struct Topics {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List all topics (the default)
    List(list::List),
    /// Show a topic: its settings, what it retains, its subscriptions
    Show(show::Show),
    /// Create a topic
    Create(create::Create),
    /// Change settings of a topic
    Set(set::Set),
    /// Delete a topic with its subscriptions; messages already in queues stay
    Delete(delete::Delete),
    /// List what a topic retains, oldest first, without consuming it
    Messages(messages::Messages),
    /// Subscribe a queue to a topic, or change its subscription
    Subscribe(subscribe::Subscribe),
    /// Unsubscribe a queue; messages already in it stay
    Unsubscribe(unsubscribe::Unsubscribe),
    /// Put retained messages into a subscribed queue again
    Replay(replay::Replay),
}

impl Topics {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        match self.what.unwrap_or(What::List(list::List {})) {
            What::List(list) => list.run(client, out).await,
            What::Show(show) => show.run(client, out).await,
            What::Create(create) => create.run(client, out).await,
            What::Set(set) => set.run(client, out).await,
            What::Delete(delete) => delete.run(client, out).await,
            What::Messages(messages) => messages.run(client, out).await,
            What::Subscribe(subscribe) => subscribe.run(client, out).await,
            What::Unsubscribe(unsubscribe) => unsubscribe.run(client, out).await,
            What::Replay(replay) => replay.run(client, out).await,
        }
    }
}

/// A topic, as the contract has it.
#[derive(Debug, Deserialize)]
struct Topic {
    name: String,
    settings: Map<String, Value>,
    retained: Retained,
    subscriptions: Vec<Subscription>,
}

/// What a topic keeps for replay.
#[derive(Debug, Deserialize)]
struct Retained {
    messages: u64,
    bytes: u64,
}

/// A queue's link to a topic.
#[derive(Debug, Deserialize)]
struct Subscription {
    queue: String,
    on_full: String,
    filter: Option<Value>,
    from: String,
    dropped: u64,
}
