//! `broker queues list`.

use clap::Args;

use super::Queue;
use crate::cli::{
    client::Client,
    human::{count, duration, size},
    output::Output,
    pages,
    table::{Column, Table},
};

/// List all queues with what is in them
#[derive(Args, Debug)]
pub(super) struct List {}

impl List {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let body = pages::all(client, client.url(&["queues"])).await?;
        out.list(client, &body, "there are no queues", table)
    }
}

fn table(queues: &[Queue]) -> Table {
    let figures = ["READY", "LEASED", "DELAYED", "DEAD", "BYTES", "OLDEST"].map(Column::Figure);
    let mut table = Table::new(&[&[Column::Name("NAME")], &figures[..]].concat());
    for Queue { name, counts, .. } in queues {
        table.row([
            name.clone(),
            count(counts.ready),
            count(counts.leased),
            count(counts.delayed),
            count(counts.dead),
            size(counts.bytes),
            counts.oldest_age.as_deref().map_or_else(|| "-".to_owned(), duration),
        ]);
    }
    table
}
