//! `broker dead-letters show`.

use std::io;

use clap::Args;
use serde::Deserialize;
use units::Timestamp;

use crate::cli::{
    client::Client,
    human::count,
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
    source: String,
    r#type: String,
    subject: Option<String>,
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
    /// None where it was not handed out.
    delivered_at: Option<Timestamp>,
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
    let DeadLetter { id, r#type, partitionkey, .. } = &letter;
    out.line(head(id, r#type, partitionkey.as_deref()))?;
    write_data(letter.message.as_ref(), out)?;
    out.line("")?;
    out.table(facts(&letter))?;
    out.line("")?;
    out.table(failures(letter.history))?;
    if letter.others > 0 {
        let others = letter.others;
        out.line(format_args!("other dead letters of this id: {others}; --source tells them apart"))?;
    }
    Ok(())
}

fn facts(letter: &DeadLetter) -> Table {
    let DeadLetter { source, subject, partitionkey, redrive_count, .. } = letter;
    let facts = [
        ("source", Some(source.clone())),
        ("subject", subject.clone()),
        ("partitionkey", partitionkey.clone()),
        ("redrive_count", Some(count(*redrive_count))),
    ];
    Table::facts("DEAD LETTER", facts.map(|(name, value)| (name.to_owned(), or_none(value))))
}

fn failures(history: Vec<Failure>) -> Table {
    let mut table = Table::new(&[
        Column::Name("DELIVERED"),
        Column::Name("ENDED"),
        Column::Figure("DELIVERY"),
        Column::Name("OUTCOME"),
        Column::Text("CONSUMER"),
        Column::Text("REASON"),
    ])
    .whole();
    for Failure { delivery_count, delivered_at, ended_at, consumer, outcome, reason } in history {
        let delivered = or_none(delivered_at.map(|at| at.to_string()));
        let (ended, delivery) = (ended_at.to_string(), delivery_count.to_string());
        table.row([delivered, ended, delivery, outcome, or_none(consumer), or_none(reason)]);
    }
    table
}

fn or_none(text: Option<String>) -> String {
    text.unwrap_or_else(|| "-".to_owned())
}
