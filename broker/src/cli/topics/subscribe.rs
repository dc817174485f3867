//! `broker topics subscribe`.

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::Value;

use super::Subscription;
use crate::cli::{client::Client, moment::moment, output::Output};

/// Subscribe a queue to a topic, or change its subscription
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  broker topics subscribe orders payment.orders
  broker topics subscribe orders audit --on-full drop --from earliest
  broker topics subscribe orders big --filter '{\"prefix\":{\"type\":\"order.\"}}'")]
pub(super) struct Subscribe {
    /// To which topic
    topic: String,
    /// Which queue
    queue: String,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Args, Debug, Serialize)]
struct Settings {
    /// What a publish does while the queue is full [default: reject]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    on_full: Option<OnFull>,
    /// Which messages it takes: CloudEvents filter in JSON, with exact, prefix, suffix, all, any, not; null takes all
    #[arg(long, value_name = "JSON", value_parser = json)]
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<Value>,
    /// What it begins with: new, earliest, a time by RFC 3339, or how long ago, such as 2h [default: new]
    #[arg(long, value_name = "START", value_parser = start)]
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
}

#[derive(Clone, Copy, Debug, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
enum OnFull {
    /// Refuse it for all subscribers
    Reject,
    /// This subscriber alone misses it
    Drop,
    /// It becomes a dead letter of this subscriber's
    DeadLetter,
}

fn start(text: &str) -> Result<String, String> {
    if matches!(text, "new" | "earliest") { Ok(text.to_owned()) } else { moment(text) }
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))
}

impl Subscribe {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let Self { topic, queue, settings } = self;
        let body = client.put(client.url(&["topics", &topic, "subscriptions", &queue]), &settings).await?;
        out.answer(client, &body, |out, Subscription { queue, .. }| {
            out.line(format_args!("queue {queue} subscribed to {topic}"))
        })
    }
}
