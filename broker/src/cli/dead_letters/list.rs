//! `broker dead-letters list`.

use clap::Args;
use serde::Deserialize;
use units::Timestamp;

use super::selection::Selection;
use crate::cli::{
    client::Client,
    human::age,
    output::Output,
    pages::{self, Paging},
    table::{Column, Table},
};

/// List the dead letters of a queue, newest first
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  broker dead-letters list jobs
  broker dead-letters list jobs --reason timeout --since 1h")]
pub(super) struct List {
    /// Of which queue
    queue: String,
    #[command(flatten)]
    paging: Paging,
    #[command(flatten)]
    selection: Selection,
}

#[derive(Deserialize)]
struct DeadLetter {
    id: String,
    r#type: String,
    reason: Option<String>,
    delivery_count: u32,
    last_failed_at: Timestamp,
}

impl List {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let Self { queue, paging, selection } = self;
        let mut url = client.url(&["queues", &queue, "dead-letters"]);
        url.query_pairs_mut().extend_pairs(selection.given());
        let body = pages::some(client, url, &paging).await?;
        out.list(client, &body, format_args!("there are no such dead letters of {queue}"), table)
    }
}

fn table(letters: &[DeadLetter]) -> Table {
    let mut table = Table::new(&[
        Column::Name("ID"),
        Column::Name("TYPE"),
        Column::Figure("FAILED"),
        Column::Figure("TRIES"),
        Column::Text("REASON"),
    ]);
    for DeadLetter { id, r#type, reason, delivery_count, last_failed_at } in letters {
        let reason = reason.clone().unwrap_or_else(|| "-".to_owned());
        table.row([id.clone(), r#type.clone(), age(*last_failed_at), delivery_count.to_string(), reason]);
    }
    table
}
