//! `broker redrives list`.

use clap::Args;

use super::Redrive;
use crate::cli::{
    client::Client,
    human::{age, count},
    output::Output,
    pages::{self, Paging},
    table::{Column, Table},
};

/// List the paced redrives, newest first
#[derive(Args, Debug)]
pub(super) struct List {
    #[command(flatten)]
    pub(super) paging: Paging,
}

impl List {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let body = pages::some(client, client.url(&["redrives"]), &self.paging).await?;
        out.list(client, &body, "there are no paced redrives", table)
    }
}

fn table(redrives: &[Redrive]) -> Table {
    let mut table = Table::new(&[
        Column::Name("TASK"),
        Column::Text("FROM"),
        Column::Text("TO"),
        Column::Figure("PER SECOND"),
        Column::Figure("REDRIVEN"),
        Column::Figure("SKIPPED"),
        Column::Figure("REMAINING"),
        Column::Figure("AGE"),
        Column::Text("STATE"),
    ]);
    for redrive in redrives {
        table.row([
            redrive.task.clone(),
            redrive.queue.clone(),
            redrive.to.clone(),
            count(redrive.per_second),
            count(redrive.redriven),
            count(redrive.skipped),
            count(redrive.remaining),
            age(redrive.started_at),
            redrive.standing(),
        ]);
    }
    table
}
