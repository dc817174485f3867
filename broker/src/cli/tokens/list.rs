//! `broker tokens list`.

use clap::Args;
use serde::Deserialize;
use units::Timestamp;

use crate::cli::{
    client::Client,
    human::age,
    output::Output,
    pages,
    table::{Column, Table},
};

/// What is said where there are none.
const NONE: &str = "there are no tokens: everybody who reaches the broker may do everything";

/// List all tokens, without their texts
#[derive(Args, Debug)]
pub(super) struct List {}

#[derive(Deserialize)]
struct Token {
    name: String,
    allow: Vec<String>,
    created_at: Timestamp,
}

impl List {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let body = pages::all(client, client.url(&["tokens"])).await?;
        out.list(client, &body, NONE, table)
    }
}

fn table(tokens: &[Token]) -> Table {
    let mut table = Table::new(&[Column::Name("NAME"), Column::Figure("AGE"), Column::Text("ALLOW")]);
    for Token { name, allow, created_at } in tokens {
        table.row([name.clone(), age(*created_at), allow.join(", ")]);
    }
    table
}
