//! `broker tokens create`.

use clap::Args;
use serde::Deserialize;
use serde_json::json;

use crate::{
    auth::grant::Grant,
    cli::{
        client::Client,
        human::clean,
        output::{Output, remark},
    },
};

/// Make a token and print its text, this once
///
/// The first token must allow admin; from then on every call needs one.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  broker tokens create admin --allow admin
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
}

impl Create {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let asked = json!({"name": self.name, "allow": self.allow});
        let body = client.post(client.url(&["tokens"]), &asked).await?;
        out.answer(client, &body, |out, Made { token }| {
            out.line(clean(&token))?;
            remark("This is shown this once: only a digest of it is kept.");
            Ok(())
        })
    }
}
