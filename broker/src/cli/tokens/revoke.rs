//! `broker tokens revoke`.

use clap::Args;

use super::named;
use crate::{
    auth::tokens::Tokens,
    cli::{client::Client, confirm::Confirmation, output::Output},
};

/// Revoke a token: the next call with it is refused
#[derive(Args, Debug)]
pub(super) struct Revoke {
    /// Its name
    name: String,
    #[command(flatten)]
    confirmation: Confirmation,
}

impl Revoke {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let Self { name, confirmation } = self;
        confirmation.ask(&format!("Revoke the token {name}?"))?;
        client.delete(client.url(&["tokens", &name])).await?;
        out.done(format_args!("token {name} revoked"))
    }

    /// Revokes it in the folder of a stopped broker.
    pub(super) fn run_beside(self, tokens: &Tokens, out: &mut Output) -> anyhow::Result<()> {
        let Self { name, confirmation } = self;
        confirmation.ask(&format!("Revoke the token {name}?"))?;
        tokens.revoke(&named(&name)?)?;
        out.done(format_args!("token {name} revoked"))
    }
}
