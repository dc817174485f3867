//! `broker tokens`: create, list, revoke.

use clap::{Args, Subcommand};

use super::{client::Client, output::Output};

mod create;
mod list;
mod revoke;

/// Make, list and revoke access tokens; without a command it lists
#[derive(Args, Debug)]
pub(super) struct Tokens {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List all tokens, without their texts (the default)
    List(list::List),
    /// Make a token and print its text, this once
    Create(create::Create),
    /// Revoke a token
    Revoke(revoke::Revoke),
}

impl Tokens {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        match self.what.unwrap_or(What::List(list::List {})) {
            What::List(list) => list.run(client, out).await,
            What::Create(create) => create.run(client, out).await,
            What::Revoke(revoke) => revoke.run(client, out).await,
        }
    }
}
