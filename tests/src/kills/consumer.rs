//! A client that receives, and settles in every way: acks, nacks, hands back, extends, holds on for too long,
//! and tries receipts that are no longer good.

use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    caller::{Caller, Lost},
    delivery::Delivery,
    load::Shared,
    topology::QUEUES,
};

/// How many deliveries are held on to.
const MOST_HELD: usize = 30;

/// A consumer of one queue over all rounds.
#[derive(Debug)]
pub(super) struct Consumer {
    queue: usize,
    random: StdRng,
    /// Not settled, for a while or over a kill; their leases may have ended.
    held: Vec<Delivery>,
    /// A receive that was not answered, to be asked for again.
    receive_id: Option<String>,
    receives: u64,
}

impl Consumer {
    pub(super) fn new(queue: usize, seed: u64) -> Self {
        let random = StdRng::seed_from_u64(seed);
        Self { queue, random, held: Vec::new(), receive_id: None, receives: 0 }
    }

    /// Works until it is told to stop, or the broker is gone.
    pub(super) async fn run(mut self, caller: Caller, shared: Shared) -> Self {
        while !shared.is_stopped() {
            match self.work(&caller, &shared).await {
                Ok(()) => {}
                Err(Lost::Unanswered) => break,
                Err(Lost::Wrong(what)) => {
                    shared.account.fault(what);
                    break;
                }
            }
        }
        self
    }

    /// Receives and acks until the queue has nothing more, dead letters included.
    pub(super) async fn drain(&mut self, caller: &Caller, shared: &Shared) -> Result<(), Lost> {
        let name = QUEUES[self.queue].name;
        loop {
            let queue = caller.call(Method::GET, &format!("/queues/{name}"), &json!({})).await?;
            let counts = &queue["counts"];
            if ["ready", "leased", "delayed", "dead"].iter().all(|state| counts[*state] == 0) {
                return Ok(());
            }
            if counts["dead"] != 0 {
                redrive(self.queue, caller).await?;
            }
            let deliveries =
                receive(self.queue, caller, shared, json!({"max": 500, "wait": "200ms", "lease": "10s"}));
            let deliveries = deliveries.await?;
            ack(self.queue, caller, shared, &deliveries).await?;
        }
    }

    async fn work(&mut self, caller: &Caller, shared: &Shared) -> Result<(), Lost> {
        if self.held.len() > MOST_HELD || self.random.random_bool(0.1) {
            let held = std::mem::take(&mut self.held);
            ack(self.queue, caller, shared, &held).await?;
        }
        if QUEUES[self.queue].dies && self.random.random_bool(0.1) {
            redrive(self.queue, caller).await?;
        }
        let deliveries = receive(self.queue, caller, shared, self.request()).await?;
        self.receive_id = None;
        self.settle(deliveries, caller, shared).await
    }

    fn request(&mut self) -> Value {
        let max = self.random.random_range(1..=12);
        // A lease runs again after each start: one that is longer than a round would never end.
        let lease = format!("{}ms", self.random.random_range(100..350));
        let mut request = json!({"max": max, "wait": "40ms", "lease": lease, "consumer": "c"});
        if self.receive_id.is_none() && self.random.random_bool(0.2) {
            self.receives += 1;
            let id: u64 = self.random.random();
            self.receive_id = Some(format!("{id}-{}", self.receives));
        }
        if let Some(id) = &self.receive_id {
            request["receive_id"] = json!(id);
        }
        request
    }

    /// Does with each delivery what chance says.
    async fn settle(
        &mut self,
        deliveries: Vec<Delivery>,
        caller: &Caller,
        shared: &Shared,
    ) -> Result<(), Lost> {
        let (mut acks, mut fails, mut returns, mut deaths) = (vec![], vec![], vec![], vec![]);
        for delivery in deliveries {
            match self.random.random_range(0..100) {
                0..6 => self.held.push(delivery),
                6..14 => fails.push(delivery),
                14..18 => returns.push(delivery),
                18..28 if QUEUES[self.queue].dies => deaths.push(delivery),
                28..33 => {
                    extend(self.queue, caller, shared, &delivery).await?;
                    acks.push(delivery);
                }
                _ => acks.push(delivery),
            }
        }
        if let Some(pause) = shared.slow_consumer.filter(|_| self.random.random_bool(0.05)) {
            // Longer than any lease: what it holds is somebody else's when it goes on.
            tokio::time::sleep(pause).await;
        }
        ack(self.queue, caller, shared, &acks).await?;
        nack(self.queue, caller, shared, &fails, json!({"reason": "chance"})).await?;
        nack(self.queue, caller, shared, &returns, json!({"count": false})).await?;
        nack(self.queue, caller, shared, &deaths, json!({"dead_letter": true, "reason": "chance"})).await?;
        // Their receipts are tried once more when the messages are in somebody else's hands.
        self.held.extend(fails.into_iter().chain(returns));
        Ok(())
    }
}

async fn receive(
    queue: usize,
    caller: &Caller,
    shared: &Shared,
    request: Value,
) -> Result<Vec<Delivery>, Lost> {
    let (path, asked) = (format!("/queues/{}/receive", QUEUES[queue].name), Instant::now());
    let (status, answer) = caller.ask(Method::POST, &path, "application/json", &request).await?;
    if no_room(status, shared) {
        tokio::time::sleep(Duration::from_millis(20)).await;
        return Ok(Vec::new());
    }
    let deliveries = answer["deliveries"].as_array();
    let deliveries = deliveries.ok_or_else(|| Lost::Wrong(format!("{path} answered {status}: {answer}")))?;
    let read = |it| Delivery::read(queue, it).map_err(|error| Lost::Wrong(error.to_string()));
    let deliveries: Vec<Delivery> = deliveries.iter().map(read).collect::<Result<_, _>>()?;
    for delivery in &deliveries {
        shared.account.delivered(delivery, asked);
    }
    Ok(deliveries)
}

/// Whether not even this could be written: where the disk is full to the last byte.
fn no_room(status: StatusCode, shared: &Shared) -> bool {
    shared.may_be_full && status == StatusCode::INSUFFICIENT_STORAGE
}

async fn ack(queue: usize, caller: &Caller, shared: &Shared, deliveries: &[Delivery]) -> Result<(), Lost> {
    let fenced: Vec<bool> = deliveries.iter().map(|delivery| shared.account.acking(delivery)).collect();
    let statuses = settle(queue, "ack", caller, shared, deliveries, json!({})).await?;
    // Where there was no room for it, it was not done.
    let lost = || vec!["lease-lost".to_owned(); deliveries.len()];
    let statuses = statuses.unwrap_or_else(lost);
    for ((delivery, fenced), status) in deliveries.iter().zip(fenced).zip(statuses) {
        shared.account.acked(delivery, fenced, &status);
    }
    Ok(())
}

async fn nack(
    queue: usize,
    caller: &Caller,
    shared: &Shared,
    deliveries: &[Delivery],
    how: Value,
) -> Result<(), Lost> {
    otherwise(queue, "nack", caller, shared, deliveries, how).await
}

async fn extend(queue: usize, caller: &Caller, shared: &Shared, delivery: &Delivery) -> Result<(), Lost> {
    let deliveries = std::slice::from_ref(delivery);
    otherwise(queue, "extend", caller, shared, deliveries, json!({"lease": "1s"})).await
}

async fn otherwise(
    queue: usize,
    what: &str,
    caller: &Caller,
    shared: &Shared,
    deliveries: &[Delivery],
    how: Value,
) -> Result<(), Lost> {
    let fenced: Vec<bool> = deliveries.iter().map(|delivery| shared.account.is_fenced(delivery)).collect();
    let statuses = settle(queue, what, caller, shared, deliveries, how).await?.unwrap_or_default();
    for ((delivery, fenced), status) in deliveries.iter().zip(fenced).zip(statuses) {
        shared.account.settled_otherwise(delivery, fenced, &status);
    }
    Ok(())
}

/// The status of each; `None` where there was no room to write it.
async fn settle(
    queue: usize,
    what: &str,
    caller: &Caller,
    shared: &Shared,
    deliveries: &[Delivery],
    mut body: Value,
) -> Result<Option<Vec<String>>, Lost> {
    if deliveries.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let path = format!("/queues/{}/{what}", QUEUES[queue].name);
    body["receipts"] = deliveries.iter().map(|delivery| delivery.receipt.clone()).collect();
    let (status, answer) = caller.ask(Method::POST, &path, "application/json", &body).await?;
    if no_room(status, shared) {
        return Ok(None);
    }
    let results = answer["results"].as_array();
    let results = results.ok_or_else(|| Lost::Wrong(format!("{path} answered {status}: {answer}")))?;
    Ok(Some(results.iter().map(|it| it["status"].as_str().unwrap_or_default().to_owned()).collect()))
}

async fn redrive(queue: usize, caller: &Caller) -> Result<(), Lost> {
    let path = format!("/queues/{}/dead-letters/redrive", QUEUES[queue].name);
    match caller.ask(Method::POST, &path, "application/json", &json!({})).await? {
        (status, _) if status.is_success() || status == StatusCode::INSUFFICIENT_STORAGE => Ok(()),
        (status, answer) => Err(Lost::Wrong(format!("{path} answered {status}: {answer}"))),
    }
}
