//! `broker topics show`.

use std::io;

use clap::Args;

use super::{Subscription, Topic};
use crate::cli::{
    client::Client,
    human::{count, size},
    output::Output,
    settings::facts,
    table::{Column, Table},
};

/// Show a topic: its settings, what it retains, its subscriptions
#[derive(Args, Debug)]
pub(super) struct Show {
    /// Which topic
    #[arg(value_name = "TOPIC")]
    name: String,
}

impl Show {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let body = client.get(client.url(&["topics", &self.name])).await?;
        out.answer(client, &body, show)
    }
}

fn show(out: &mut Output, topic: Topic) -> io::Result<()> {
    let Topic { name, settings, retained, subscriptions } = topic;
    let content = [("name", name), ("retained", count(retained.messages)), ("bytes", size(retained.bytes))];
    out.table(Table::facts("TOPIC", content.map(|(name, value)| (name.to_owned(), value))))?;
    out.line("")?;
    out.table(Table::facts("SETTINGS", facts(&settings)))?;
    out.line("")?;
    out.table(subscribed(subscriptions))
}

fn subscribed(subscriptions: Vec<Subscription>) -> Table {
    let mut table = Table::new(&[
        Column::Name("SUBSCRIBED"),
        Column::Name("ON FULL"),
        Column::Figure("DROPPED"),
        Column::Name("FROM"),
        Column::Text("FILTER"),
    ])
    .whole();
    for Subscription { queue, on_full, filter, from, dropped } in subscriptions {
        let filter = filter.map_or_else(|| "-".to_owned(), |filter| filter.to_string());
        table.row([queue, on_full, count(dropped), from, filter]);
    }
    table
}
