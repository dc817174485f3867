//! `broker topics list`.

use clap::Args;

use super::Topic;
use crate::cli::{
    client::Client,
    human::{count, size},
    output::Output,
    pages,
    table::{Column, Table},
};

/// List all topics
#[derive(Args, Debug)]
pub(super) struct List {}

impl List {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let body = pages::all(client, client.url(&["topics"])).await?;
        out.list(client, &body, "there are no topics", table)
    }
}

fn table(topics: &[Topic]) -> Table {
    let columns =
        [Column::Name("NAME"), Column::Figure("RETAINED"), Column::Figure("BYTES"), Column::Text("QUEUES")];
    let mut table = Table::new(&columns);
    for Topic { name, retained, subscriptions, .. } in topics {
        let queues: Vec<&str> = subscriptions.iter().map(|it| it.queue.as_str()).collect();
        table.row([name.clone(), count(retained.messages), size(retained.bytes), queues.join(", ")]);
    }
    table
}
