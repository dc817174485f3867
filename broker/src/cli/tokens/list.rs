//! `broker tokens list`.

use clap::Args;
use serde::{Deserialize, Serialize};
use units::Timestamp;

use crate::{
    auth::tokens,
    cli::{
        client::Client,
        human::age,
        output::{Output, remark},
        pages::{self, Page},
        table::{Column, Table},
    },
};

/// What is said where there are none.
const NONE: &str = "there are no tokens: everybody who reaches the broker may do everything";

/// List all tokens, without their texts
#[derive(Args, Debug)]
pub(super) struct List {}

/// A token as a broker shows it.
#[derive(Deserialize, Serialize)]
pub(super) struct Token {
    name: String,
    allow: Vec<String>,
    created_at: Timestamp,
}

impl Token {
    pub(super) fn of(token: &tokens::Token) -> Self {
        let allow = token.allow.iter().map(ToString::to_string).collect();
        Self { name: token.name.to_string(), allow, created_at: token.created_at }
    }
}

impl List {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let body = pages::all(client, client.url(&["tokens"])).await?;
        out.list(client, &body, NONE, table)
    }

    /// Lists those in the folder of a stopped broker.
    pub(super) fn run_beside(self, tokens: &tokens::Tokens, out: &mut Output) -> anyhow::Result<()> {
        let items = tokens.list(None, usize::MAX).iter().map(|token| Token::of(token)).collect();
        out.own(&Page { items, next_cursor: None }, |out, page| match page.items.as_slice() {
            [] => {
                remark(NONE);
                Ok(())
            }
            items => out.table(table(items)),
        })
    }
}

fn table(tokens: &[Token]) -> Table {
    let mut table = Table::new(&[Column::Name("NAME"), Column::Figure("AGE"), Column::Text("ALLOW")]);
    for Token { name, allow, created_at } in tokens {
        table.row([name.clone(), age(*created_at), allow.join(", ")]);
    }
    table
}
