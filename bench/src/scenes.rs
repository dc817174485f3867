//! The scenes: each moves the same number of messages and says how fast, and how long a request or a
//! message's way took.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use futures_util::future::try_join_all;
use hyper::Method;

use crate::{
    client::Client,
    events::{self, Received},
    figures::Figures,
};

const JSON: &str = "application/json";
/// Room for all messages of any run.
const QUEUE: &str = r#"{"max_messages":100000000,"max_bytes":"1024GiB","lease":"1h"}"#;

/// What every scene does it with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Workload {
    pub(crate) address: SocketAddr,
    pub(crate) messages: u64,
    pub(crate) connections: u64,
    pub(crate) batch: u64,
    pub(crate) size: usize,
}

/// What the tasks of a scene share.
struct Shared {
    workload: Workload,
    scene: &'static str,
    started: Instant,
    /// The number of the next message to be published.
    next: AtomicU64,
    /// How many were received and acked.
    acked: AtomicU64,
}

impl Shared {
    async fn new(workload: Workload, scene: &'static str) -> anyhow::Result<Arc<Self>> {
        let mut client = Client::connect(workload.address).await?;
        client.send(Method::PUT, "/queues/measured", JSON, QUEUE).await?;
        let (started, next, acked) = (Instant::now(), AtomicU64::new(0), AtomicU64::new(0));
        Ok(Arc::new(Self { workload, scene, started, next, acked }))
    }

    fn figures(&self, times: Vec<Vec<Duration>>) -> Figures {
        Figures::new(self.scene, self.workload.messages, self.started.elapsed(), times.concat())
    }
}

/// Publishes the messages, so many a request; times are those of the requests.
pub(crate) async fn publish(
    workload: Workload,
    scene: &'static str,
    at_once: u64,
) -> anyhow::Result<Figures> {
    let shared = Shared::new(workload, scene).await?;
    let publishers = (0..workload.connections).map(|_| tokio::spawn(publisher(Arc::clone(&shared), at_once)));
    let times = finished(try_join_all(publishers).await)?;
    Ok(shared.figures(times))
}

/// Receives and acks what waits; times are those of one receive and its ack.
pub(crate) async fn drain(workload: Workload, scene: &'static str) -> anyhow::Result<Figures> {
    let shared = Shared::new(workload, scene).await?;
    let consumers =
        (0..workload.connections).map(|_| tokio::spawn(consumer(Arc::clone(&shared), Timed::Requests)));
    let times = finished(try_join_all(consumers).await)?;
    Ok(shared.figures(times))
}

/// Publishes and consumes at once; times are from before a message's publish to its receipt.
pub(crate) async fn end_to_end(
    workload: Workload,
    scene: &'static str,
    at_once: u64,
) -> anyhow::Result<Figures> {
    let shared = Shared::new(workload, scene).await?;
    let publishers = (0..workload.connections).map(|_| tokio::spawn(publisher(Arc::clone(&shared), at_once)));
    let consumers = (0..workload.connections.div_ceil(8))
        .map(|_| tokio::spawn(consumer(Arc::clone(&shared), Timed::Ways)));
    let (publishers, consumers): (Vec<_>, Vec<_>) = (publishers.collect(), consumers.collect());
    finished(try_join_all(publishers).await)?;
    let times = finished(try_join_all(consumers).await)?;
    Ok(shared.figures(times))
}

type Joined = Result<Vec<anyhow::Result<Vec<Duration>>>, tokio::task::JoinError>;

fn finished(joined: Joined) -> anyhow::Result<Vec<Vec<Duration>>> {
    joined.context("a client panicked")?.into_iter().collect()
}

async fn publisher(shared: Arc<Shared>, at_once: u64) -> anyhow::Result<Vec<Duration>> {
    let Workload { address, messages, size, .. } = shared.workload;
    let mut client = Client::connect(address).await?;
    let mut times = Vec::new();
    loop {
        let first = shared.next.fetch_add(at_once, Ordering::Relaxed);
        if first >= messages {
            return Ok(times);
        }
        let numbers = first..(first + at_once).min(messages);
        let content_type = if numbers.end - first == 1 { events::ONE } else { events::BATCH };
        let body = events::body(numbers, shared.scene, size, shared.started.elapsed());
        let sent = Instant::now();
        client.send(Method::POST, "/queues/measured/messages", content_type, body).await?;
        times.push(sent.elapsed());
    }
}

/// What a consumer takes the time of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Timed {
    /// A receive with its ack.
    Requests,
    /// Each message's way from its publisher.
    Ways,
}

async fn consumer(shared: Arc<Shared>, timed: Timed) -> anyhow::Result<Vec<Duration>> {
    let Workload { address, messages, batch, .. } = shared.workload;
    let mut client = Client::connect(address).await?;
    let receive = format!(r#"{{"max":{batch},"wait":"100ms"}}"#);
    let mut times = Vec::new();
    while shared.acked.load(Ordering::Relaxed) < messages {
        let asked = Instant::now();
        let answer = client.send(Method::POST, "/queues/measured/receive", JSON, receive.clone()).await?;
        let arrived = shared.started.elapsed();
        let received: Received<'_> = serde_json::from_slice(&answer)?;
        let deliveries = received.deliveries;
        if deliveries.is_empty() {
            continue;
        }
        client.send(Method::POST, "/queues/measured/ack", JSON, events::ack(&deliveries)).await?;
        match timed {
            Timed::Requests => times.push(asked.elapsed()),
            Timed::Ways => {
                let sent =
                    deliveries.iter().map(|delivery| Duration::from_micros(delivery.message.data.sent));
                times.extend(sent.map(|sent| arrived.saturating_sub(sent)));
            }
        }
        shared.acked.fetch_add(deliveries.len() as u64, Ordering::Relaxed);
    }
    Ok(times)
}
