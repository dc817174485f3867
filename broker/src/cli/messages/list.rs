//! `broker messages list`.

use clap::{Args, ValueEnum};
use serde::Deserialize;
use units::Timestamp;

use crate::cli::{
    client::Client,
    human::age,
    message::{Message, cells},
    output::Output,
    pages::{self, Paging},
    table::{Column, Table},
};

/// List what waits in a queue, without leasing it
#[derive(Args, Debug)]
pub(super) struct List {
    /// Of which queue
    queue: String,
    /// Only those in this state
    #[arg(long)]
    state: Option<State>,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum State {
    /// Can be received now
    Ready,
    /// Handed out
    Leased,
    /// Wait for a time
    Delayed,
}

#[derive(Deserialize)]
struct Item {
    state: String,
    published_at: Timestamp,
    delivery_count: u32,
    /// None where it is damaged.
    message: Option<Message>,
}

impl List {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let Self { queue, state, paging } = self;
        let mut url = client.url(&["queues", &queue, "messages"]);
        if let Some(state) = state.and_then(|state| state.to_possible_value()) {
            url.query_pairs_mut().append_pair("state", state.get_name());
        }
        let body = pages::some(client, url, &paging).await?;
        out.list(client, &body, format_args!("there are no such messages in {queue}"), table)
    }
}

fn table(items: &[Item]) -> Table {
    let mut table = Table::new(&[
        Column::Name("ID"),
        Column::Name("STATE"),
        Column::Figure("AGE"),
        Column::Figure("TRIES"),
        Column::Text("TYPE"),
        Column::Text("DATA"),
    ]);
    for Item { state, published_at, delivery_count, message } in items {
        let [id, kind, data] = cells(message.as_ref());
        table.row([id, state.clone(), age(*published_at), delivery_count.to_string(), kind, data]);
    }
    table
}
