//! `broker queues show`.

use std::io;

use clap::Args;

use super::{Counts, Queue};
use crate::cli::{
    client::Client,
    human::{count, duration, size},
    output::Output,
    settings::facts,
    table::Table,
};

/// Show a queue: its settings, what is in it, its totals
#[derive(Args, Debug)]
pub(super) struct Show {
    /// Which queue
    #[arg(value_name = "QUEUE")]
    name: String,
}

impl Show {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let body = client.get(client.url(&["queues", &self.name])).await?;
        out.answer(client, &body, show)
    }
}

/// Shows all of a queue.
pub(super) fn show(out: &mut Output, queue: Queue) -> io::Result<()> {
    let Queue { name, settings, counts } = queue;
    out.table(Table::facts("QUEUE", content(name, &counts)))?;
    out.line("")?;
    out.table(Table::facts("TOTALS", facts(&counts.totals)))?;
    out.line("")?;
    out.table(Table::facts("SETTINGS", facts(&settings)))
}

fn content(name: String, counts: &Counts) -> Vec<(String, String)> {
    let oldest = counts.oldest_age.as_deref().map_or_else(|| "-".to_owned(), duration);
    let facts = [
        ("name", name),
        ("ready", count(counts.ready)),
        ("leased", count(counts.leased)),
        ("delayed", count(counts.delayed)),
        ("dead", count(counts.dead)),
        ("bytes", size(counts.bytes)),
        ("oldest", oldest),
    ];
    facts.map(|(name, value)| (name.to_owned(), value)).to_vec()
}
