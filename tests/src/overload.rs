//! Ten times what a broker works on, from clients of every kind: publishers that never pause, consumers that
//! never ack, connections that never read or hardly send. What must hold all the while stands in [`Report::faults`].

mod clients;
mod ledger;
mod rude;

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use serde_json::json;
use tokio::{task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;

use self::{
    clients::{Client, QUEUE, consume, drain, forget, publish_until},
    ledger::Ledger,
};
use crate::programs::Program;

/// How many requests the broker works on at a time.
const PLACES: usize = 64;
/// What the broker's memory stays below, in MiB: three copies of each body that is worked on (96), answers
/// of both kinds (64), the buffers of all connections (74), the records just written (32), what is
/// remembered for journeys and watchers (24), the database's pages and the index (40), and half as much
/// again for what the allocator keeps.
const MEMORY_MIB: u64 = 512;
/// How soon after the flood publishes are as fast as before it.
const RECOVERY: Duration = Duration::from_secs(10);
/// A machine that is shared is not held to less than this.
const NORMAL: Duration = Duration::from_millis(500);

const LIMITS: [&str; 22] = [
    "--max-requests",
    "64",
    "--max-waiting-receives",
    "32",
    "--max-connections",
    "1500",
    "--max-watchers",
    "8",
    "--max-request-size",
    "1MiB",
    "--max-request-memory",
    "32MiB",
    "--max-answer-memory",
    "32MiB",
    "--body-timeout",
    "20s",
    "--write-timeout",
    "2s",
    "--idle-timeout",
    "10s",
    "--log",
    "warn",
];

/// What was measured, and what went wrong.
#[derive(Debug)]
pub struct Report {
    /// How long the flood was.
    pub flood: Duration,
    /// Answers by kind.
    pub answers: ledger::Answers,
    /// How many messages were acknowledged to their publishers.
    pub published: usize,
    /// How many of them were found, received and acked, or waiting at the end.
    pub found: usize,
    /// The most memory that the broker's process ever had, in MiB.
    pub memory_mib: u64,
    /// The 99th percentile of a publish before.
    pub before: Duration,
    /// And at the end.
    pub after: Duration,
    /// How long after the flood that was so.
    pub recovered: Option<Duration>,
    /// What must not be; empty when all is well.
    pub faults: Vec<String>,
}

/// Floods a broker for that long, and accounts for everything.
///
/// # Errors
/// When the broker can't be started or ends, or what is asked of it in a calm is not answered.
pub async fn run(flood: Duration, folder: &std::path::Path) -> anyhow::Result<Report> {
    let data = folder.join("broker");
    let data = data.to_str().context("the folder's name is text")?;
    let arguments = [&["--listen", "127.0.0.1:0", "--data", data][..], &LIMITS[..]].concat();
    let broker = Program::start("broker", &arguments, folder).await?;
    let client = Client::new(broker.own_url());
    client
        .declare(
            QUEUE,
            &json!({"max_messages": 20_000, "max_bytes": "64MiB", "lease": "2s",
        "max_deliveries": 1_000_000, "backoff": {"initial": "0s"}}),
        )
        .await?;
    client.declare("calm", &json!({"overflow": "drop-oldest", "max_messages": 1000})).await?;
    let before = p99(&client).await?;

    let ledger = Arc::new(Ledger::default());
    let clients = start(&client, &ledger, flood);
    clients.join_all().await;
    let (recovered, after) = recovery(&client, before).await?;
    let waiting = drain(&client).await?;
    ledger.found(waiting);
    let memory_mib = high_water_mib(broker.pid()?.as_raw_nonzero().get())?;
    let mut report = Report {
        flood,
        answers: ledger.answers(),
        published: ledger.published(),
        found: ledger.published() - ledger.lost().len(),
        memory_mib,
        before,
        after,
        recovered,
        faults: ledger.faults(),
    };
    report.judge();
    Ok(report)
}

/// All clients at once; they end by themselves when the time is over.
fn start(client: &Client, ledger: &Arc<Ledger>, flood: Duration) -> JoinSet<()> {
    let over = CancellationToken::new();
    let mut clients = JoinSet::new();
    let ender = over.clone();
    clients.spawn(async move {
        sleep(flood).await;
        ender.cancel();
    });
    for number in 0..PLACES as u32 * 10 {
        clients.spawn(publish_until(over.clone(), client.clone(), Arc::clone(ledger), number));
    }
    for _ in 0..4 {
        clients.spawn(consume(over.clone(), client.clone(), Arc::clone(ledger)));
    }
    for _ in 0..32 {
        clients.spawn(forget(over.clone(), client.clone(), Arc::clone(ledger)));
        clients.spawn(rude::never_read(over.clone(), client.address()));
        clients.spawn(rude::trickle(over.clone(), client.address()));
        clients.spawn(rude::watch_without_reading(over.clone(), client.address()));
    }
    clients
}

/// How long it takes until publishes are as fast as before, and how fast they are then.
async fn recovery(client: &Client, before: Duration) -> anyhow::Result<(Option<Duration>, Duration)> {
    let ended = Instant::now();
    loop {
        let now = p99(client).await?;
        if now <= NORMAL.max(before * 3) {
            return Ok((Some(ended.elapsed()), now));
        }
        if ended.elapsed() > RECOVERY {
            return Ok((None, now));
        }
    }
}

/// The 99th percentile of some publishes, four at a time; one that is refused counts with the time until
/// it is taken.
async fn p99(client: &Client) -> anyhow::Result<Duration> {
    let mut publishers = JoinSet::new();
    for _ in 0..4 {
        let client = client.clone();
        publishers.spawn(async move { client.timed_publishes("calm", 50).await });
    }
    let times: anyhow::Result<Vec<_>> = publishers.join_all().await.into_iter().collect();
    let mut times = times?.concat();
    times.sort_unstable();
    Ok(times[times.len() * 99 / 100])
}

/// The most memory that a process ever had.
fn high_water_mib(pid: i32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("there is no VmHWM")?;
    let kib: u64 = line.split_whitespace().next().context("VmHWM has a number")?.parse()?;
    Ok(kib / 1024)
}

impl Report {
    fn judge(&mut self) {
        if self.memory_mib > MEMORY_MIB {
            self.faults.push(format!("it took {} MiB of memory, over {MEMORY_MIB}", self.memory_mib));
        }
        if self.recovered.is_none() {
            self.faults.push(format!("{RECOVERY:?} after the flood a publish still takes {:?}", self.after));
        }
        if self.answers.refused == 0 || self.published == 0 {
            self.faults.push("it was no flood: nothing was refused, or nothing was taken".to_owned());
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { answers, published, found, memory_mib, .. } = self;
        let seconds = self.flood.as_secs_f64();
        let total = answers.good + answers.refused;
        writeln!(f, "flood            {seconds:.0} s, {} publishers on {PLACES} places", PLACES * 10)?;
        writeln!(
            f,
            "answers          {:.0}/s: {} good, {} refused (429, 503)",
            total as f64 / seconds,
            answers.good,
            answers.refused
        )?;
        writeln!(f, "unanswered       {}", answers.unanswered)?;
        writeln!(f, "messages         {published} acknowledged, {found} found")?;
        writeln!(f, "memory           {memory_mib} MiB at the most, {MEMORY_MIB} allowed")?;
        writeln!(f, "p99 of a publish {:?} before, {:?} after", self.before, self.after)?;
        writeln!(f, "back to normal   {:?} after the flood", self.recovered)?;
        for fault in &self.faults {
            writeln!(f, "FAULT            {fault}")?;
        }
        Ok(())
    }
}
