//! Settles: what is to become of many deliveries in as few requests as their kinds allow.

use std::{collections::HashMap, time::Duration};

use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use units::format_duration;

use super::client::{self, Client};
use crate::transport::{Settle, Settled, Settlement, TransportError};

/// What the broker takes in one call.
const MAX_RECEIPTS: usize = 1000;

#[derive(Default, Serialize)]
struct Question<'a> {
    receipts: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delay: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dead_letter: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lease: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    results: Vec<Outcome>,
}

#[derive(Deserialize)]
struct Outcome {
    status: Status,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Status {
    Done,
    AlreadySettled,
    LeaseLost,
}

pub(super) async fn each(
    client: &Client,
    queue: &str,
    settlements: &[Settlement],
) -> Result<Vec<Settled>, TransportError> {
    let mut kinds: HashMap<KindKey<'_>, Vec<usize>> = HashMap::new();
    for (at, settlement) in settlements.iter().enumerate() {
        kinds.entry(KindKey::of(&settlement.settle)).or_default().push(at);
    }
    let calls = kinds.values().flat_map(|places| places.chunks(MAX_RECEIPTS));
    let calls = calls.map(|places| call(client, queue, settlements, places));
    let mut settled = vec![Settled::LeaseLost; settlements.len()];
    for (place, outcome) in try_join_all(calls).await?.into_iter().flatten() {
        settled[place] = outcome;
    }
    Ok(settled)
}

/// What settlements share that go in one request.
#[derive(PartialEq, Eq, Hash)]
enum KindKey<'a> {
    Ack,
    Nack(Option<Duration>, &'a str),
    DeadLetter(&'a str),
    GiveBack(Option<Duration>),
    Extend(Duration),
}

impl<'a> KindKey<'a> {
    fn of(settle: &'a Settle) -> Self {
        match settle {
            Settle::Ack => Self::Ack,
            Settle::Nack { delay, reason } => Self::Nack(*delay, reason),
            Settle::DeadLetter { reason } => Self::DeadLetter(reason),
            Settle::GiveBack { delay } => Self::GiveBack(*delay),
            Settle::Extend { lease } => Self::Extend(*lease),
        }
    }
}

/// One request, for the settlements in these places; all are of one kind.
async fn call(
    client: &Client,
    queue: &str,
    settlements: &[Settlement],
    places: &[usize],
) -> Result<Vec<(usize, Settled)>, TransportError> {
    let receipts = places.iter().map(|place| settlements[*place].receipt.as_str()).collect();
    let (verb, question) = question(&settlements[places[0]].settle, receipts);
    let bytes = client.post(&["queues", queue, verb], &question, Duration::ZERO).await?;
    let answer: Answer = client::read(&bytes)?;
    if answer.results.len() != places.len() {
        let detail = format!("{} results for {} receipts", answer.results.len(), places.len());
        return Err(TransportError::Protocol(detail));
    }
    Ok(places.iter().copied().zip(answer.results.into_iter().map(settled)).collect())
}

fn question<'a>(settle: &'a Settle, receipts: Vec<&'a str>) -> (&'static str, Question<'a>) {
    let plain = Question { receipts, ..Question::default() };
    match settle {
        Settle::Ack => ("ack", plain),
        Settle::Nack { delay, reason } => {
            ("nack", Question { delay: delay.map(format_duration), reason: Some(reason), ..plain })
        }
        Settle::DeadLetter { reason } => {
            ("nack", Question { reason: Some(reason), dead_letter: Some(true), ..plain })
        }
        Settle::GiveBack { delay } => {
            ("nack", Question { delay: delay.map(format_duration), count: Some(false), ..plain })
        }
        Settle::Extend { lease } => ("extend", Question { lease: Some(format_duration(*lease)), ..plain }),
    }
}

const fn settled(outcome: Outcome) -> Settled {
    match outcome.status {
        Status::Done => Settled::Done,
        Status::AlreadySettled => Settled::Already,
        Status::LeaseLost => Settled::LeaseLost,
    }
}
