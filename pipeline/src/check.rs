//! The checker: holds a pipeline that is up to the invariants, over HTTP alone. What it looks at is in
//! `look`, when it may look in `drained`, and each invariant is a file of its own: a pure function of
//! what was seen.

mod apart;
mod cancelled;
mod command;
mod confirmed;
mod counters;
mod drained;
mod keys;
mod look;
mod report;
mod seen;
mod settled;
mod stock;

use std::{collections::BTreeMap, fmt, time::Duration};

pub use self::{
    apart::Apart,
    command::CheckArgs,
    drained::NotDrained,
    report::{Report, Strictness},
    seen::{Email, LedgerEntry, Line, Money, Order, Queue, Reservation, Seen, StockItem},
};
use crate::{
    client::{Client, ClientError},
    places::Places,
};

/// What an invariant found against one order, or against what belongs to no order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The order's id, or what else is at fault: a SKU, a queue, a key.
    pub about: String,
    /// What is wrong with it.
    pub what: String,
}

impl Fault {
    /// A fault of that order or thing.
    pub fn new(about: impl fmt::Display, what: impl Into<String>) -> Self {
        Self { about: about.to_string(), what: what.into() }
    }
}

/// The invariants, in the order in which they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    /// Every order that was answered 202 is confirmed or cancelled.
    Settled,
    /// A confirmed order is paid once, committed, and its customer told.
    Confirmed,
    /// A cancelled order keeps no money and no stock, and its customer is told.
    Cancelled,
    /// No stock item is lost or sold twice.
    Stock,
    /// One key, one order.
    Keys,
    /// Each queue's counters add up.
    Counters,
}

impl Invariant {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Settled, Self::Confirmed, Self::Cancelled, Self::Stock, Self::Keys, Self::Counters];

    /// What it says, in a line.
    #[must_use]
    pub const fn says(self) -> &'static str {
        match self {
            Self::Settled => "every order answered 202 is confirmed or cancelled",
            Self::Confirmed => "confirmed: paid once and exactly, stock committed, two mails",
            Self::Cancelled => "cancelled: no money kept, no stock held, the right mails",
            Self::Stock => "stock: received = on hand + committed, reserved is what pending orders hold",
            Self::Keys => "the same Idempotency-Key never makes two orders",
            Self::Counters => "each queue's counters add up",
        }
    }

    /// Judges what was seen; orders that are set apart are not looked at, but for stock.
    #[must_use]
    pub fn judge(self, seen: &Seen, apart: &Apart, answered: &Answered) -> Vec<Fault> {
        match self {
            Self::Settled => settled::judge(seen, apart, answered),
            Self::Confirmed => confirmed::judge(seen, apart),
            Self::Cancelled => cancelled::judge(seen, apart),
            Self::Stock => stock::judge(seen, apart),
            Self::Keys => keys::judge(seen, answered),
            Self::Counters => counters::judge(seen),
        }
    }
}

/// What a client knows of the orders it placed: which order each of its keys was answered with.
#[derive(Clone, Debug, Default)]
pub struct Answered(BTreeMap<String, Vec<String>>);

impl Answered {
    /// Notes that a POST under `key` was answered 202 with that order.
    pub fn note(&mut self, key: impl Into<String>, order: impl Into<String>) {
        self.0.entry(key.into()).or_default().push(order.into());
    }

    fn orders(&self) -> impl Iterator<Item = &str> {
        self.0.values().flatten().map(String::as_str)
    }

    fn by_key(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().map(|(key, orders)| (key.as_str(), orders.as_slice()))
    }
}

/// Why no verdict was reached.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// Something of the pipeline did not answer as it should.
    #[error("the pipeline could not be looked at")]
    Client(#[from] ClientError),
    /// Work was still going on when the time was over.
    #[error("not drained: {0}")]
    NotDrained(#[from] NotDrained),
}

/// Checks a pipeline: waits up to `wait` until it is drained, looks at everything and judges.
///
/// # Errors
/// [`CheckError`] when something does not answer, or is not drained in time.
pub async fn check(
    client: &Client,
    places: &Places,
    answered: &Answered,
    wait: Duration,
) -> Result<Report, CheckError> {
    drained::wait(client, places, wait).await?;
    let seen = look::look(client, places).await?;
    Ok(judge(&seen, answered))
}

/// Judges what was seen.
#[must_use]
pub fn judge(seen: &Seen, answered: &Answered) -> Report {
    let apart = Apart::of(seen);
    let verdicts = Invariant::ALL.map(|invariant| (invariant, invariant.judge(seen, &apart, answered)));
    Report::new(seen.orders.len(), verdicts.into(), apart)
}
