//! A client that publishes: one message or a batch, to a queue or the topic; again under the same ids where no
//! answer came; and now and then what was answered long ago.

use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    account::{Account, Batch},
    caller::{Caller, Lost},
    load::Shared,
    topology::DESTINATIONS,
};

/// How many keys a publisher has. They are its own, so that it knows their order.
const KEYS: u64 = 4;

/// How long it waits while enough is open.
const PAUSE: Duration = Duration::from_millis(5);
/// How long it waits where there was no room.
const PAUSE_WHEN_REFUSED: Duration = Duration::from_millis(100);

/// A publisher over all rounds.
#[derive(Debug)]
pub(super) struct Publisher {
    place: u64,
    random: StdRng,
    /// What it has to send again before anything newer.
    unfinished: Option<Batch>,
    answered: Option<Batch>,
}

impl Publisher {
    pub(super) fn new(place: u64, seed: u64) -> Self {
        Self { place, random: StdRng::seed_from_u64(seed), unfinished: None, answered: None }
    }

    /// Publishes until it is told to stop, or the broker is gone.
    pub(super) async fn run(mut self, caller: Caller, shared: Shared) -> Self {
        while !shared.is_stopped() {
            if shared.account.open(self.queues()) > shared.most_open {
                sleep(PAUSE).await;
                continue;
            }
            let mut batch = self.next(&shared);
            shared.account.sending(&batch);
            match self.publish(&caller, &batch, &shared).await {
                Ok(true) => self.answered = Some(batch),
                Ok(false) => {
                    self.unfinished = Some(batch);
                    sleep(PAUSE_WHEN_REFUSED).await;
                }
                Err(Lost::Unanswered) => {
                    batch.unsure = true;
                    // Some are never sent again: they are there or not.
                    if self.random.random_bool(0.2) {
                        shared.account.given_up(batch);
                    } else {
                        self.unfinished = Some(batch);
                    }
                    break;
                }
                Err(Lost::Wrong(what)) => {
                    shared.account.fault(what);
                    break;
                }
            }
        }
        self
    }

    /// What is unfinished is not sent again.
    pub(super) fn give_up(self, account: &Account) {
        if let Some(batch) = self.unfinished {
            account.given_up(batch);
        }
    }

    /// Where all that it publishes ends.
    fn queues(&self) -> &'static [usize] {
        let place = usize::try_from(self.place).unwrap_or_default();
        DESTINATIONS[place % DESTINATIONS.len()].1
    }

    fn next(&mut self, shared: &Shared) -> Batch {
        if let Some(batch) = self.unfinished.take() {
            return batch;
        }
        if let Some(batch) = self.answered.take().filter(|_| self.random.random_bool(0.05)) {
            return batch;
        }
        let (queues, one_by_one) = (self.queues(), self.place < DESTINATIONS.len() as u64);
        let count = if one_by_one { 1 } else { self.random.random_range(2..=20) };
        let numbers = shared.account.numbers(count);
        let first = self.place * KEYS;
        let messages = numbers.map(|number| {
            let key = self.random.random_bool(0.8).then(|| first + self.random.random_range(0..KEYS));
            (number, key)
        });
        Batch { queues, messages: messages.collect(), unsure: false }
    }

    /// Whether it was taken; `false` when there was no room for it.
    async fn publish(&self, caller: &Caller, batch: &Batch, shared: &Shared) -> Result<bool, Lost> {
        let events: Vec<Value> =
            batch.messages.iter().map(|message| event(*message, shared.filler)).collect();
        let (path, _) = DESTINATIONS.iter().find(|(_, queues)| *queues == batch.queues).expect("one of them");
        let (content_type, body) = match &events[..] {
            [event] => ("application/cloudevents+json", event.clone()),
            events => ("application/cloudevents-batch+json", json!(events)),
        };
        let (status, answer) = caller.ask(Method::POST, path, content_type, &body).await?;
        match status {
            StatusCode::OK | StatusCode::CREATED => {
                let results = answer["results"].as_array().cloned().unwrap_or_else(|| vec![answer]);
                let duplicates: Vec<bool> =
                    results.iter().map(|result| result["duplicate"] == true).collect();
                shared.account.published(batch, &duplicates);
                Ok(true)
            }
            StatusCode::INSUFFICIENT_STORAGE if shared.may_be_full => {
                shared.account.refused(batch);
                Ok(false)
            }
            _ => Err(Lost::Wrong(format!("{path} answered {status}: {answer}"))),
        }
    }
}

fn event((number, key): (u64, Option<u64>), filler: usize) -> Value {
    let mut event = json!({
        "specversion": "1.0", "id": number.to_string(), "source": "/kills", "type": "numbered",
        "data": {"number": number, "filler": "x".repeat(filler)},
    });
    if let Some(key) = key {
        event["partitionkey"] = json!(key.to_string());
    }
    event
}
