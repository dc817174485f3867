//! A consumer that is a process of its own, so that the system can hold it still with deliveries in hand. It
//! prints what it got and what its acks were answered; what it printed goes into the account.

use std::{
    io::{self, Write as _},
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use reqwest::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, ChildStdout, Command},
    task::JoinHandle,
};

use super::{
    account::Account,
    caller::{Caller, Lost},
    delivery::Delivery,
    topology::QUEUES,
};
use crate::programs;

/// The queue that it consumes.
const QUEUE: usize = 0;

/// What the process does, until the broker is gone: `got` before it acks, `acked` when that is answered.
///
/// # Errors
/// When stdout is closed, or the broker answers what is not in the contract.
pub async fn consume(url: &str) -> anyhow::Result<()> {
    let (caller, name) = (Caller::new(url)?, QUEUES[QUEUE].name);
    let receive = json!({"max": 3, "wait": "1s", "lease": "300ms"});
    loop {
        let answer = match caller.call(Method::POST, &format!("/queues/{name}/receive"), &receive).await {
            Err(Lost::Unanswered) => return Ok(()),
            answer => answer.map_err(|lost| anyhow::anyhow!("{lost:?}"))?,
        };
        for delivery in answer["deliveries"].as_array().into_iter().flatten() {
            let (id, receipt) = (delivery["message"]["id"].as_str(), &delivery["receipt"]);
            say(&format!("got {} {}", id.unwrap_or_default(), receipt.as_str().unwrap_or_default()))?;
            // Long enough to be held still in.
            tokio::time::sleep(Duration::from_millis(20)).await;
            let ack = json!({"receipts": [receipt]});
            match caller.call(Method::POST, &format!("/queues/{name}/ack"), &ack).await {
                Err(Lost::Unanswered) => return Ok(()),
                Err(lost) => anyhow::bail!("{lost:?}"),
                Ok(answer) => {
                    say(&format!("acked {}", answer["results"][0]["status"].as_str().unwrap_or_default()))?;
                }
            }
        }
    }
}

fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// The process, as its parent knows it.
#[derive(Debug)]
pub(super) struct ConsumerApart {
    child: Child,
    noting: JoinHandle<anyhow::Result<()>>,
}

impl ConsumerApart {
    pub(super) fn start(url: &str, account: Arc<Account>) -> anyhow::Result<Self> {
        let mut command = Command::new(programs::folder().join("kills"));
        command.args(["--consume", url]).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().context("can't start a consumer")?;
        let out = child.stdout.take().context("stdout is piped")?;
        Ok(Self { child, noting: tokio::spawn(note(out, account)) })
    }

    /// Holds it still for a while.
    pub(super) async fn pause(&self, length: Duration) -> anyhow::Result<()> {
        let pid = self.child.id().context("the consumer has ended")?;
        let pid = Pid::from_raw(i32::try_from(pid)?).context("a process id is not zero")?;
        kill_process(pid, Signal::STOP)?;
        tokio::time::sleep(length).await;
        Ok(kill_process(pid, Signal::CONT)?)
    }

    /// Ends it, and notes the last that it said.
    pub(super) async fn end(mut self) -> anyhow::Result<()> {
        self.child.start_kill()?;
        self.child.wait().await?;
        self.noting.await?
    }
}

async fn note(out: ChildStdout, account: Arc<Account>) -> anyhow::Result<()> {
    let (mut lines, started) = (BufReader::new(out).lines(), Instant::now());
    let mut in_hand = None;
    while let Some(line) = lines.next_line().await? {
        let words: Vec<&str> = line.split(' ').collect();
        match (&words[..], in_hand.take()) {
            (["got", id, receipt], None) => {
                let delivery = json!({"receipt": receipt, "message": {"id": id}});
                let delivery = Delivery::read(QUEUE, &delivery)?;
                account.delivered(&delivery, started);
                // What is known here of newer leases may be newer than its ack: that acks of two leases are
                // never both done is checked all the same.
                account.acking(&delivery);
                in_hand = Some(delivery);
            }
            (["acked", status], Some(delivery)) => account.acked(&delivery, false, status),
            _ => anyhow::bail!("a consumer said {line:?}"),
        }
    }
    Ok(())
}
