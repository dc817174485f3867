//! Publishing a message a line, in batches: an answer a batch, and a bar for whoever watches.

use std::io::BufRead as _;

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{Method, header};
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{
    Publish,
    data::{self, Reader},
    one::Published,
};
use crate::cli::{
    call::Call,
    client::Client,
    human::{count, things},
    output::Output,
    progress,
};

const BATCH_TYPE: &str = "application/cloudevents-batch+json";
/// How many messages a batch has at the most.
const BATCH: usize = 500;
/// From how many bytes on a batch goes out: well below what the broker takes in one request.
const BATCH_BYTES: usize = 4 << 20;

/// The answer to a batch.
#[derive(Deserialize)]
struct Answer {
    results: Vec<Published>,
}

/// What was published so far.
#[derive(Default)]
struct Totals {
    messages: u64,
    duplicates: u64,
}

/// Publishes them all; stops at the first batch that is refused.
pub(super) async fn publish(asked: Publish, client: &Client, out: &mut Output) -> anyhow::Result<()> {
    let (mut lines, length) = asked.data.clone().open()?;
    let bar = progress::bytes(length);
    let mut totals = Totals::default();
    let done = send_all(&asked, &mut lines, &bar, client, out, &mut totals).await;
    bar.finish_and_clear();
    done.with_context(|| format!("{} published, then it stopped", things(totals.messages, "message")))?;
    let duplicates = match totals.duplicates {
        0 => String::new(),
        number => format!(", {} of them before: nothing was stored of those", count(number)),
    };
    out.done(format_args!("{} published{duplicates}", things(totals.messages, "message")))
}

async fn send_all(
    asked: &Publish,
    lines: &mut Reader,
    bar: &ProgressBar,
    client: &Client,
    out: &mut Output,
    totals: &mut Totals,
) -> anyhow::Result<()> {
    loop {
        let batch = Batch::read(asked, lines)?;
        if batch.events.is_empty() {
            return Ok(());
        }
        let call = Call::new(Method::POST, asked.to.url(client)).header(header::CONTENT_TYPE, BATCH_TYPE)?;
        let call = asked.options.on(call)?.body(format!("[{}]", batch.events.join(",")));
        let body = client.body(call).await?;
        let answer: Answer = client.read(&body)?;
        totals.messages += answer.results.len() as u64;
        totals.duplicates += answer.results.iter().filter(|published| published.duplicate).count() as u64;
        if out.is_json() {
            out.document(&body)?;
        }
        bar.inc(batch.bytes);
        bar.set_message(things(totals.messages, "message"));
    }
}

/// Events, each as JSON.
#[derive(Default)]
struct Batch {
    events: Vec<String>,
    /// How much was read for them.
    bytes: u64,
}

impl Batch {
    fn read(asked: &Publish, lines: &mut Reader) -> anyhow::Result<Self> {
        let (mut batch, mut length, mut line) = (Self::default(), 0, Vec::new());
        while batch.events.len() < BATCH && length < BATCH_BYTES {
            line.clear();
            let read = lines.read_until(b'\n', &mut line).context("can't read the data")?;
            if read == 0 {
                break;
            }
            batch.bytes += read as u64;
            let data = line.strip_suffix(b"\n").unwrap_or(&line);
            let data = data.strip_suffix(b"\r").unwrap_or(data);
            if !data.is_empty() {
                let event = event(asked, data);
                length += event.len();
                batch.events.push(event);
            }
            // What would have to be waited for is for the next batch: whoever writes may be slow.
            if !batch.events.is_empty() && !lines.buffer().contains(&b'\n') {
                break;
            }
        }
        Ok(batch)
    }
}

/// The data of an event, as JSON has it.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Payload<'a> {
    Data(&'a RawValue),
    #[serde(rename = "data")]
    Text(&'a str),
    DataBase64(String),
}

/// An event in structured mode.
#[derive(Serialize)]
struct Event<'a> {
    specversion: &'static str,
    id: Uuid,
    datacontenttype: &'a str,
    #[serde(flatten)]
    attributes: serde_json::Map<String, serde_json::Value>,
    #[serde(flatten)]
    payload: Payload<'a>,
}

fn event(asked: &Publish, data: &[u8]) -> String {
    let [kind, name] = asked.to.path();
    let mut attributes = serde_json::Map::new();
    attributes.insert("source".to_owned(), format!("/{kind}/{name}").into());
    attributes.insert("type".to_owned(), "message".into());
    attributes.extend(asked.attributes.named().map(|(name, value)| (name.to_owned(), value.into())));
    let content_type = asked.attributes.content_type.as_deref().unwrap_or_else(|| data::content_type(data));
    let event = Event {
        specversion: "1.0",
        id: Uuid::now_v7(),
        datacontenttype: content_type,
        attributes,
        payload: payload(content_type, data),
    };
    serde_json::to_string(&event).expect("texts are always JSON")
}

/// JSON stays as it is; what is said to be JSON and is not, and what is no text, goes as bytes.
fn payload<'a>(content_type: &str, data: &'a [u8]) -> Payload<'a> {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let is_json = essence.ends_with("/json") || essence.ends_with("+json");
    match std::str::from_utf8(data) {
        Ok(text) if is_json => match serde_json::from_str(text) {
            Ok(json) => Payload::Data(json),
            Err(_) => Payload::DataBase64(STANDARD.encode(data)),
        },
        Ok(text) if essence.starts_with("text/") => Payload::Text(text),
        _ => Payload::DataBase64(STANDARD.encode(data)),
    }
}
