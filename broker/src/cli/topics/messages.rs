//! `broker topics messages`.

use clap::Args;
use serde::Deserialize;
use units::Timestamp;

use super::replay::from;
use crate::cli::{
    client::Client,
    message::{Message, cells},
    output::Output,
    pages::{self, Paging},
    table::{Column, Table},
};

/// List what a topic retains, oldest first, without consuming it
#[derive(Args, Debug)]
pub(super) struct Messages {
    /// Of which topic
    topic: String,
    /// From which time of publishing on: earliest, a time by RFC 3339, or how long ago, such as 2h
    #[arg(long, value_name = "TIME", default_value = "earliest", value_parser = from)]
    from: String,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Deserialize)]
struct Retained {
    published_at: Timestamp,
    /// None where it is damaged.
    message: Option<Message>,
}

impl Messages {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let Self { topic, from, paging } = self;
        let mut url = client.url(&["topics", &topic, "messages"]);
        url.query_pairs_mut().append_pair("from", &from);
        let body = pages::some(client, url, &paging).await?;
        out.list(client, &body, format_args!("{topic} retains no such messages"), table)
    }
}

fn table(retained: &[Retained]) -> Table {
    let mut table = Table::new(&[
        Column::Name("PUBLISHED"),
        Column::Name("ID"),
        Column::Text("TYPE"),
        Column::Text("DATA"),
    ]);
    for Retained { published_at, message } in retained {
        let [id, kind, data] = cells(message.as_ref());
        table.row([published_at.to_string(), id, kind, data]);
    }
    table
}
