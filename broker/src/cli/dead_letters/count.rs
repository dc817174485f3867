//! `broker dead-letters count`.

use clap::Args;
use serde::Deserialize;

use crate::cli::{
    client::Client,
    human::count,
    output::Output,
    pages,
    table::{Column, Table},
};

/// Count the dead letters of each queue
#[derive(Args, Debug)]
pub(super) struct Count {}

#[derive(Deserialize)]
struct Total {
    queue: String,
    dead: u64,
}

impl Count {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let body = pages::all(client, client.url(&["dead-letters"])).await?;
        out.list(client, &body, "there are no queues", table)
    }
}

fn table(totals: &[Total]) -> Table {
    let mut table = Table::new(&[Column::Name("QUEUE"), Column::Figure("DEAD")]);
    for Total { queue, dead } in totals {
        table.row([queue.clone(), count(*dead)]);
    }
    table
}
