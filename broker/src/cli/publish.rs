//! `broker publish`: one message, or one a line.

use clap::Args;
use http::HeaderName;

use super::{call::Call, client::Client, failure::Failure, output::Output, settings::duration};

mod attributes;
mod data;
mod lines;
mod one;

use attributes::Attributes;
use data::Data;

const DELAY: HeaderName = HeaderName::from_static("message-delay");
const TTL: HeaderName = HeaderName::from_static("message-ttl");
const REQUIRE_ROUTE: HeaderName = HeaderName::from_static("require-route");

/// Publish one message, or one a line, to a queue or topic
///
/// Without --content-type, data that is a JSON object or array is published as application/json, other text
/// as text/plain, all else as application/octet-stream.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  broker publish --queue jobs '{\"n\":1}'
  broker publish --topic orders @order.json --type order.placed --key 17
  pg_dump shop | broker publish --queue backups - --content-type application/sql
  broker publish --queue jobs --lines @jobs.ndjson")]
pub(super) struct Publish {
    #[command(flatten)]
    to: To,
    /// The data: as it is, @FILE, or - for stdin
    #[arg(id = "payload", value_name = "DATA", value_parser = Data::parse)]
    data: Data,
    /// Each line of the data is a message; empty lines are none
    ///
    /// They are sent in batches, each stored all or none. JSON output has the answer to each batch on a line.
    #[arg(long)]
    lines: bool,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    attributes: Attributes,
}

/// Where it goes.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct To {
    /// To this queue
    #[arg(long, value_name = "QUEUE")]
    queue: Option<String>,
    /// To every queue subscribed to this topic
    #[arg(long, value_name = "TOPIC")]
    topic: Option<String>,
}

/// What goes with a message without being part of it.
#[derive(Args, Debug)]
struct Options {
    /// How long until it can be received
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    delay: Option<String>,
    /// How long it may wait once it can be received
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    ttl: Option<String>,
    /// Fail where no queue would take it
    #[arg(long)]
    require_route: bool,
}

impl To {
    /// The first two parts of the path.
    fn path(&self) -> [&str; 2] {
        match (&self.queue, &self.topic) {
            (Some(queue), _) => ["queues", queue],
            (None, topic) => ["topics", topic.as_deref().unwrap_or_default()],
        }
    }

    /// Where publishes go.
    fn url(&self, client: &Client) -> url::Url {
        let [kind, name] = self.path();
        client.url(&[kind, name, "messages"])
    }
}

impl Options {
    /// As headers.
    fn on(&self, mut call: Call) -> Result<Call, Failure> {
        let route = self.require_route.then(|| "true".to_owned());
        for (name, value) in [(DELAY, &self.delay), (TTL, &self.ttl), (REQUIRE_ROUTE, &route)] {
            if let Some(value) = value {
                call = call.header(name, value)?;
            }
        }
        Ok(call)
    }
}

impl Publish {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        self.attributes.check(self.lines)?;
        if self.lines {
            lines::publish(self, client, out).await
        } else {
            one::publish(self, client, out).await
        }
    }
}
