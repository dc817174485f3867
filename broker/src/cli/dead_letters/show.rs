//! `broker dead-letters show`.

use std::io;

use clap::Args;
use serde::Deserialize;
use units::Timestamp;

use crate::cli::{
    client::Client,
    message::{Message, head, write_data},
    output::Output,
    source::BySource,
    table::{Column, Table},
};

/// Show a dead letter with its message and every failure
#[derive(Args, Debug)]
pub(super) struct Show {
    /// Of which queue
    queue: String,
    /// Its id
    id: String,
    #[command(flatten)]
    source: BySource,
}

#[derive(Deserialize)]
struct DeadLetter {
    id: String,
    r#type: String,
    partitionkey: Option<String>,
    /// None where it is damaged.
    message: Option<Message>,
    history: Vec<Failure>,
    redrive_count: u64,
    #[serde(default)]
    others: u64,
}

#[derive(Deserialize)]
struct Failure {
    delivery_count: u32,
    ended_at: Timestamp,
    consumer: Option<String>,
    outcome: String,
    reason: Option<String>,
}

impl Show {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let url = self.source.narrow(client.url(&["queues", &self.queue, "dead-letters", &self.id]));
        let body = client.get(url).await?;
        out.answer(client, &body, show)
    }
}

fn show(out: &mut Output, letter: DeadLetter) -> io::Result<()> {
    let DeadLetter { id, r#type, partitionkey, message, history, redrive_count, others } = letter;
    out.line(head(&id, &r#type, partitionkey.as_deref()))?;
    write_data(message.as_ref(), out)?;
    out.line("")?;
    out.table(failures(history))?;
    if redrive_count > 0 {
        out.line(format_args!("redriven before: {redrive_count}"))?;
    }
    if others > 0 {
        out.line(format_args!("other dead letters of this id: {others}; --source tells them apart"))?;
    }
    Ok(())
}

fn failures(history: Vec<Failure>) -> Table {
    let mut table = Table::new(&[
        Column::Name("ENDED"),
        Column::Figure("DELIVERY"),
        Column::Name("OUTCOME"),
        Column::Text("CONSUMER"),
        Column::Text("REASON"),
    ])
    .whole();
    for Failure { delivery_count, ended_at, consumer, outcome, reason } in history {
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let (consumer, reason) = (or_none(consumer), or_none(reason));
        table.row([ended_at.to_string(), delivery_count.to_string(), outcome, consumer, reason]);
    }
    table
}
