//! `broker tokens`: create, list, revoke; at a broker, or beside one that is stopped.

use std::path::Path;

use anyhow::bail;
use broker_core::identity::Name;
use clap::{Args, Subcommand};

use super::{client::Client, failure::Failure, output::Output};
use crate::{
    auth,
    store::{StoreError, folder::DataFolder},
};

mod create;
mod list;
mod revoke;

/// Make, list and revoke access tokens; without a command it lists
///
/// With --data and without --url it works on the folder of a stopped broker too: so is the first token made of
/// one that others can reach.
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
    /// Does it to the tokens of a folder that no broker uses; gives it back where one does.
    pub(super) fn run_beside(self, folder: &Path, out: &mut Output) -> anyhow::Result<Option<Self>> {
        if !matches!(self.what, Some(What::Create(_))) && !folder.is_dir() {
            bail!("there is no folder {}", folder.display());
        }
        let folder = match DataFolder::open(folder) {
            Ok(folder) => folder,
            // Whoever may not write there can ask the broker all the same.
            Err(StoreError::InUse(_) | StoreError::Files { .. }) => return Ok(Some(self)),
            Err(error) => return Err(error.into()),
        };
        let tokens = auth::tokens::Tokens::open(&folder)?;
        match self.what.unwrap_or(What::List(list::List {})) {
            What::List(list) => list.run_beside(&tokens, out)?,
            What::Create(create) => create.run_beside(&tokens, out)?,
            What::Revoke(revoke) => revoke.run_beside(&tokens, out)?,
        }
        Ok(None)
    }

    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        match self.what.unwrap_or(What::List(list::List {})) {
            What::List(list) => list.run(client, out).await,
            What::Create(create) => create.run(client, out).await,
            What::Revoke(revoke) => revoke.run(client, out).await,
        }
    }
}

/// Takes a token's name where no broker is there to refuse it.
fn named(name: &str) -> Result<Name, Failure> {
    Name::parse(name).map_err(|error| Failure::Usage(error.to_string()))
}
