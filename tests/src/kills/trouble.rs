//! The kinds of trouble that a broker meets, and one round of each.

use std::{fmt, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use rand::{RngExt as _, rngs::StdRng};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    account::Account,
    apart::ConsumerApart,
    broker::Broker,
    caller::Caller,
    load::{Clients, Shared, Working},
};

/// Longer than the clients' leases.
const PAUSE: Duration = Duration::from_millis(1800);

/// What happens to the broker in each round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// SIGKILL at any moment.
    Kills,
    /// SIGSTOP of the broker, and of a consumer, for longer than the leases, and SIGCONT.
    Pauses,
    /// A write that fails: it ends itself.
    FailedWrites,
    /// Its disk fills up, and it is killed.
    FullDisk,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kills => "kills",
            Self::Pauses => "pauses",
            Self::FailedWrites => "failed writes",
            Self::FullDisk => "full disks",
        })
    }
}

impl Trouble {
    /// What the broker is told for it.
    pub(super) fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::FullDisk => &["--min-free-space", "32MiB"],
            Self::Kills | Self::Pauses | Self::FailedWrites => &[],
        }
    }

    /// What the broker is started by: a process that goes beyond the limit of its files is ended by a signal,
    /// unless it ignores that; then the write fails.
    pub(super) fn by(self) -> &'static [&'static str] {
        match self {
            Self::FailedWrites => &["sh", "-c", r#"trap "" XFSZ; exec "$0" "$@""#],
            Self::Kills | Self::Pauses | Self::FullDisk => &[],
        }
    }

    /// How the clients behave in it.
    pub(super) fn shared(self, account: &Arc<Account>) -> Shared {
        Shared {
            account: Arc::clone(account),
            stop: Arc::default(),
            filler: if self == Self::FullDisk { 16 << 10 } else { 100 },
            may_be_full: self == Self::FullDisk,
            most_open: if self == Self::FullDisk { usize::MAX } else { 1000 },
            slow_consumer: (self == Self::Pauses).then_some(PAUSE),
        }
    }

    /// One round: trouble comes while the clients work, and they stop.
    pub(super) async fn happen(
        self,
        broker: &mut Broker,
        caller: &Caller,
        account: &Arc<Account>,
        working: Working,
        random: &mut StdRng,
    ) -> anyhow::Result<Clients> {
        match self {
            Self::Kills => {
                // The moment is the point: there is nothing to wait for.
                sleep(Duration::from_millis(random.random_range(10..500))).await;
                broker.kill().await?;
            }
            Self::Pauses => {
                let consumer = ConsumerApart::start(broker.url(), Arc::clone(account))?;
                sleep(Duration::from_millis(random.random_range(50..500))).await;
                broker.pause(PAUSE).await?;
                sleep(Duration::from_millis(random.random_range(50..500))).await;
                consumer.pause(PAUSE).await?;
                sleep(Duration::from_millis(random.random_range(50..500))).await;
                consumer.end().await?;
            }
            Self::FailedWrites => {
                // As with a kill, the moment is the point.
                sleep(Duration::from_millis(random.random_range(50..3000))).await;
                broker.let_writes_fail_beyond(random.random_range(0..1 << 20))?;
                broker.ends_by_itself().await?;
            }
            Self::FullDisk => {
                until_full(caller).await?;
                // Now and then somebody else takes what the broker left free for acks.
                let filler = random.random_bool(0.5).then(|| broker.fill_the_disk()).transpose()?;
                sleep(Duration::from_millis(random.random_range(50..500))).await;
                broker.kill().await?;
                let clients = working.stop().await;
                if let Some(filler) = filler {
                    broker.restart().await.context("on a disk that is full to the last byte")?;
                    drop(filler);
                    broker.kill().await?;
                }
                return Ok(clients);
            }
        }
        Ok(working.stop().await)
    }
}

/// How often is asked for what comes within seconds.
const TRIES: u32 = 3000;
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// Waits until publishes are refused for want of room; then looks and acks go on.
async fn until_full(caller: &Caller) -> anyhow::Result<()> {
    let answered = |lost| anyhow::anyhow!("{lost:?}");
    caller.call(Method::PUT, "/queues/probe", &json!({})).await.map_err(answered)?;
    for _ in 0..TRIES {
        let (status, problem) = probe(caller).await?;
        if status == StatusCode::INSUFFICIENT_STORAGE {
            ensure!(problem["type"] == "/problems/storage-full", "507 says {problem}");
            return reads_and_acks_go_on(caller).await;
        }
        sleep(BETWEEN_TRIES).await;
    }
    Err(anyhow::anyhow!("the disk did not fill up"))
}

/// Waits until publishes are taken again.
pub(super) async fn until_there_is_room(caller: &Caller) -> anyhow::Result<()> {
    for _ in 0..TRIES {
        let (status, problem) = probe(caller).await?;
        if status.is_success() {
            return Ok(());
        }
        ensure!(status == StatusCode::INSUFFICIENT_STORAGE, "a publish is answered {status}: {problem}");
        sleep(BETWEEN_TRIES).await;
    }
    Err(anyhow::anyhow!("publishes are still refused"))
}

/// Publishes a message of an id of its own.
async fn probe(caller: &Caller) -> anyhow::Result<(StatusCode, Value)> {
    let asked = caller.ask(Method::POST, "/queues/probe/messages", "text/plain", &json!("probe")).await;
    asked.map_err(|lost| anyhow::anyhow!("{lost:?}"))
}

async fn reads_and_acks_go_on(caller: &Caller) -> anyhow::Result<()> {
    let answered = |lost| anyhow::anyhow!("on a full disk: {lost:?}");
    caller.call(Method::GET, "/queues/plain/messages", &json!({})).await.map_err(answered)?;
    let received = caller.call(Method::POST, "/queues/probe/receive", &json!({})).await.map_err(answered)?;
    let Some(delivery) = received["deliveries"].get(0) else { return Ok(()) };
    let ack = json!({"receipts": [delivery["receipt"]]});
    let acked = caller.call(Method::POST, "/queues/probe/ack", &ack).await.map_err(answered)?;
    let status = acked["results"][0]["status"].as_str().context("an ack has a status")?;
    ensure!(status == "done", "on a full disk an ack is {status}");
    Ok(())
}
