//! `broker tail`: what happens in the broker, live, over breaks of the connection.

use std::{io, pin::pin, time::Duration};

use clap::Args;
use futures_util::{StreamExt as _, TryStreamExt as _};
use http::{HeaderName, Method, header};
use http_body_util::BodyDataStream;
use sse_stream::{Sse, SseByteStream};
use url::Url;

use super::{
    call::Call,
    client::Client,
    failure::Failure,
    output::{Output, remark},
};

mod activity;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// How long to wait before the broker is asked again, unless it says how long.
const PAUSE: Duration = Duration::from_secs(2);

/// Show what happens in the broker, live
///
/// Goes on after a break where it ended, until ctrl-c. Under load the broker leaves out some, and says how
/// many. JSON output has a line for each: {"id":…,"event":KIND,"data":{…}}.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  broker tail
  broker tail --queue jobs --kind dead-lettered --kind nacked
  broker tail --json | jq 'select(.event == \"dead-lettered\").data'")]
pub(super) struct Tail {
    /// Only what happens in this queue; can be given again
    #[arg(long, value_name = "QUEUE")]
    queue: Vec<String>,
    /// Only this kind, such as published, leased, acked, nacked, dead-lettered; can be given again
    #[arg(long, value_name = "KIND")]
    kind: Vec<String>,
    /// End after so many
    #[arg(long, value_name = "N")]
    count: Option<u64>,
}

impl Tail {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let mut stream = Following::new(self.url(client), self.count.unwrap_or(u64::MAX));
        while stream.left > 0 {
            match stream.once(client, out).await {
                Err(error) if !(stream.was_open && is_passing(&error)) => return Err(error),
                _ if stream.left > 0 => stream.rest().await,
                _ => {}
            }
        }
        Ok(())
    }

    fn url(&self, client: &Client) -> Url {
        let mut url = client.url(&["events"]);
        for (name, values) in [("queue", &self.queue), ("kind", &self.kind)] {
            if !values.is_empty() {
                url.query_pairs_mut().append_pair(name, &values.join(","));
            }
        }
        url
    }
}

/// Whether the broker may be back soon: it is gone, or has no time.
fn is_passing(error: &anyhow::Error) -> bool {
    match error.downcast_ref() {
        Some(Failure::Unreachable { .. } | Failure::Unanswered { .. }) => true,
        Some(Failure::Refused(problem)) => matches!(problem.status, 408 | 429 | 500..),
        _ => false,
    }
}

/// How far the stream was followed.
struct Following {
    url: Url,
    last_id: Option<String>,
    pause: Duration,
    /// How many are still to be shown.
    left: u64,
    /// Whether it was ever open.
    was_open: bool,
    /// Whether it was said that it broke off.
    told: bool,
}

impl Following {
    fn new(url: Url, left: u64) -> Self {
        Self { url, last_id: None, pause: PAUSE, left, was_open: false, told: false }
    }

    /// Follows one connection to its end.
    async fn once(&mut self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let mut call =
            Call::new(Method::GET, self.url.clone()).header(header::ACCEPT, "text/event-stream")?;
        if let Some(id) = &self.last_id {
            call = call.header(LAST_EVENT_ID, id)?;
        }
        let answer = client.send(call).await?;
        (self.was_open, self.told) = (true, false);
        let bytes = BodyDataStream::new(answer.into_body()).map_err(io::Error::other);
        let mut blocks = pin!(SseByteStream::new(bytes));
        // A connection that breaks is as one that ends: the next one goes on from there.
        while let Some(Ok(block)) = blocks.next().await {
            self.take(block, out)?;
            if self.left == 0 {
                break;
            }
        }
        Ok(())
    }

    fn take(&mut self, block: Sse, out: &mut Output) -> io::Result<()> {
        self.pause = block.retry.map_or(self.pause, Duration::from_millis);
        if let Some(id) = &block.id {
            self.last_id = Some(id.clone());
        }
        // A block without data says only where the stream stands.
        let Some(data) = &block.data else { return Ok(()) };
        self.left -= 1;
        let kind = block.event.as_deref().unwrap_or("message");
        match out.is_json() {
            true => out.document(activity::line(block.id.as_deref(), kind, data).as_bytes()),
            false => out.line(activity::text(kind, data)),
        }
    }

    /// Waits before the next try; says why, once a break.
    async fn rest(&mut self) {
        if !std::mem::replace(&mut self.told, true) {
            remark("the stream broke off; it goes on as soon as the broker is there again");
        }
        tokio::time::sleep(self.pause).await;
    }
}
