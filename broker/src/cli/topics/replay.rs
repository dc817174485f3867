//! `broker topics replay`.

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::cli::{client::Client, human::things, moment::moment, output::Output};

/// Put retained messages into a subscribed queue again
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  broker topics replay orders audit
  broker topics replay orders audit --from 2h --to 1h")]
pub(super) struct Replay {
    /// Of which topic
    topic: String,
    /// Into which queue
    queue: String,
    #[command(flatten)]
    span: Span,
}

#[derive(Args, Debug, Serialize)]
struct Span {
    /// From which time of publishing on: earliest, a time by RFC 3339, or how long ago, such as 2h
    #[arg(long, value_name = "TIME", default_value = "earliest", value_parser = from)]
    from: String,
    /// Until which time of publishing: a time by RFC 3339, or how long ago
    #[arg(long, value_name = "TIME", value_parser = moment)]
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
}

/// A start: a moment, or the very first.
pub(super) fn from(text: &str) -> Result<String, String> {
    if text == "earliest" { Ok(text.to_owned()) } else { moment(text) }
}

#[derive(Deserialize)]
struct Replayed {
    replayed: u64,
}

impl Replay {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let Self { topic, queue, span } = self;
        let url = client.url(&["topics", &topic, "subscriptions", &queue, "replay"]);
        let body = client.post(url, &span).await?;
        out.answer(client, &body, |out, Replayed { replayed }| {
            out.line(format_args!("{} of {topic} replayed into {queue}", things(replayed, "message")))
        })
    }
}
