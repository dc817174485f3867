//! `broker tokens create`.

use std::io;

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{list::Token, named};
use crate::{
    auth::{
        grant::Grant,
        tokens::{NO_ADMIN, Tokens},
    },
    cli::{
        client::Client,
        human::clean,
        output::{Output, remark},
    },
};

/// Make a token and print its text, this once
///
/// From the first token on every call needs one. `local.json` in the data folder of a running broker holds one
/// that may do everything, for whoever can read it.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  broker tokens create admin --allow admin --data ./data/broker
  broker tokens create shop --allow publish:orders --allow 'consume:payment.*'
  SHOP_TOKEN=$(broker tokens create shop --allow publish:orders)")]
pub(super) struct Create {
    /// What to call it: in lists, in the audit trail, and when it is revoked
    name: String,
    /// What it allows: publish:PATTERN, consume:PATTERN, admin:PATTERN, or admin; can be given again
    #[arg(long, value_name = "ROLE:PATTERN", required = true, value_parser = grant)]
    allow: Vec<String>,
}

fn grant(text: &str) -> Result<String, String> {
    Grant::parse(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

#[derive(Deserialize)]
struct Made {
    token: String,
    warning: Option<String>,
}

/// What a broker would answer.
#[derive(Serialize)]
struct MadeBeside<'a> {
    #[serde(flatten)]
    of: Token,
    token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<&'static str>,
}

impl Create {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let asked = json!({"name": self.name, "allow": self.allow});
        let body = client.post(client.url(&["tokens"]), &asked).await?;
        out.answer(client, &body, |out, Made { token, warning }| show(out, &token, warning.as_deref()))
    }

    /// Makes it in the folder of a stopped broker.
    pub(super) fn run_beside(self, tokens: &Tokens, out: &mut Output) -> anyhow::Result<()> {
        let allow: Result<Vec<_>, _> = self.allow.iter().map(|text| Grant::parse(text)).collect();
        let (made, secret) = tokens.create(named(&self.name)?, allow?)?;
        let warning = tokens.lack_admin().then_some(NO_ADMIN);
        let made = MadeBeside { of: Token::of(&made), token: secret.reveal(), warning };
        out.own(&made, |out, made| show(out, made.token, made.warning))
    }
}

fn show(out: &mut Output, token: &str, warning: Option<&str>) -> io::Result<()> {
    out.line(clean(token))?;
    remark("This is shown this once: only a digest of it is kept.");
    if let Some(warning) = warning {
        remark(format_args!("warning: {}", clean(warning)));
    }
    Ok(())
}
