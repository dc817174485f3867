//! The clients that speak as they should, only too much and too often.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use reqwest::{Method, RequestBuilder, header::RETRY_AFTER};
use serde_json::{Value, json};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::ledger::{Answered, Id, Ledger};

/// The queue that is flooded.
pub(super) const QUEUE: &str = "flood";
/// What most messages have, in bytes.
const SMALL: usize = 1 << 10;
/// What each sixteenth has.
const LARGE: usize = 256 << 10;

/// Speaks to the broker; clones share its connections.
#[derive(Clone)]
pub(super) struct Client {
    url: String,
    http: reqwest::Client,
}

impl Client {
    pub(super) fn new(url: &str) -> Self {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(20)).build();
        Self { url: url.to_owned(), http: http.expect("a client without TLS can always be made") }
    }

    /// Where the broker listens.
    pub(super) fn address(&self) -> String {
        self.url.trim_start_matches("http://").to_owned()
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    pub(super) async fn declare(&self, queue: &str, settings: &Value) -> anyhow::Result<()> {
        let request = self.request(Method::PUT, &format!("/queues/{queue}")).json(settings);
        request.send().await?.error_for_status()?;
        Ok(())
    }

    /// How long each of some publishes takes, one after the other.
    pub(super) async fn timed_publishes(&self, queue: &str, count: usize) -> anyhow::Result<Vec<Duration>> {
        let path = format!("/queues/{queue}/messages");
        let mut times = Vec::with_capacity(count);
        while times.len() < count {
            let began = Instant::now();
            loop {
                let answered = answer(self.request(Method::POST, &path).body("x")).await;
                match answered.context("a publish in a calm is answered")? {
                    answered if answered.is_good() => break,
                    Answered { status: 429 | 503, .. } => sleep(Duration::from_millis(20)).await,
                    Answered { status, text, .. } => anyhow::bail!("it answered {status}: {text}"),
                }
            }
            times.push(began.elapsed());
        }
        Ok(times)
    }

    async fn receive(&self, max: u32) -> Option<Answered> {
        let path = format!("/queues/{QUEUE}/receive");
        answer(self.request(Method::POST, &path).json(&json!({"max": max, "wait": "500ms"}))).await
    }

    async fn ack(&self, receipts: &[&Value]) -> Option<Answered> {
        let path = format!("/queues/{QUEUE}/ack");
        answer(self.request(Method::POST, &path).json(&json!({"receipts": receipts}))).await
    }

    async fn counts(&self) -> anyhow::Result<Value> {
        let queue: Value =
            self.request(Method::GET, &format!("/queues/{QUEUE}")).send().await?.json().await?;
        Ok(queue["counts"].clone())
    }
}

/// Sends a request and reads its answer; `None` when the connection ended before.
async fn answer(request: RequestBuilder) -> Option<Answered> {
    let response = request.send().await.ok()?;
    let (status, has_retry_after) =
        (response.status().as_u16(), response.headers().contains_key(RETRY_AFTER));
    Some(Answered { status, has_retry_after, text: response.text().await.ok()? })
}

/// Publishes without a pause, whatever the broker says.
pub(super) async fn publish_until(over: CancellationToken, client: Client, ledger: Arc<Ledger>, own: u32) {
    let path = format!("/queues/{QUEUE}/messages");
    for number in 0.. {
        if over.is_cancelled() {
            return;
        }
        let size = if (own + number).is_multiple_of(16) { LARGE } else { SMALL };
        let request = client.request(Method::POST, &path).header("ce-id", format!("{own}-{number}"));
        let answered = answer(request.header("content-type", "text/plain").body("x".repeat(size))).await;
        ledger.publish((own, number), answered.as_ref());
    }
}

/// Receives and acks, as a consumer does.
pub(super) async fn consume(over: CancellationToken, client: Client, ledger: Arc<Ledger>) {
    while !over.is_cancelled() {
        let answered = client.receive(100).await;
        ledger.answer(answered.as_ref());
        match answered.filter(Answered::is_good) {
            Some(answered) => ledger.found(ack_all(&client, &answered, Some(&ledger)).await),
            None => sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Receives and never acks, so that the same messages come again and again.
pub(super) async fn forget(over: CancellationToken, client: Client, ledger: Arc<Ledger>) {
    while !over.is_cancelled() {
        ledger.answer(client.receive(20).await.as_ref());
        sleep(Duration::from_millis(100)).await;
    }
}

/// Receives and acks all that waits, and what is leased once its lease has run out.
pub(super) async fn drain(client: &Client) -> anyhow::Result<Vec<(Id, bool)>> {
    let mut found = Vec::new();
    while client.counts().await?["oldest_age"] != Value::Null {
        let answered = client.receive(1000).await.context("a receive in a calm is answered")?;
        if answered.is_good() {
            found.extend(ack_all(client, &answered, None).await);
        } else {
            sleep(Duration::from_millis(50)).await;
        }
    }
    Ok(found)
}

/// Acks what was received, again until it is answered; those that are gone by then,
/// and whether by this ack.
async fn ack_all(client: &Client, answered: &Answered, ledger: Option<&Ledger>) -> Vec<(Id, bool)> {
    let json: Value = serde_json::from_str(&answered.text).unwrap_or_default();
    let deliveries = json["deliveries"].as_array().map(Vec::as_slice).unwrap_or_default();
    let receipts: Vec<&Value> = deliveries.iter().map(|delivery| &delivery["receipt"]).collect();
    if receipts.is_empty() {
        return Vec::new();
    }
    let results = loop {
        let acked = client.ack(&receipts).await;
        if let Some(ledger) = ledger {
            ledger.answer(acked.as_ref());
        }
        match acked.filter(Answered::is_good) {
            Some(acked) => break serde_json::from_str::<Value>(&acked.text).unwrap_or_default(),
            None => sleep(Duration::from_millis(20)).await,
        }
    };
    let results = results["results"].as_array().map(Vec::as_slice).unwrap_or_default();
    // An ack that came after the lease, or whose first answer was lost, finds the message settled.
    let ids = deliveries.iter().map(|delivery| parse_id(&delivery["message"]["id"]));
    let statuses = results.iter().map(|result| result["status"].as_str().unwrap_or_default());
    ids.zip(statuses)
        .filter(|(_, status)| matches!(*status, "done" | "already-settled"))
        .filter_map(|(id, status)| Some((id?, status == "done")))
        .collect()
}

fn parse_id(id: &Value) -> Option<Id> {
    let (own, number) = id.as_str()?.split_once('-')?;
    Some((own.parse().ok()?, number.parse().ok()?))
}
