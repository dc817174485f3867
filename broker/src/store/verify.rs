//! What a check of stored data finds.

use serde::Serialize;

use crate::record::Head;

/// How many faults are kept; further ones are only counted.
const MOST_KEPT: usize = 1000;

/// What was looked at, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How many queues there are.
    pub queues: u64,
    /// How many topics.
    pub topics: u64,
    /// How many messages are stored.
    pub messages: u64,
    /// How many of them were written before there were checksums, so that their bytes can't be checked.
    pub without_checksum: u64,
    /// What is wrong; the first thousand.
    pub faults: Vec<Fault>,
    /// How many more there are.
    pub more_faults: u64,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }

    /// How many things are wrong, in words.
    #[must_use]
    pub fn told(&self) -> String {
        match self.faults.len() as u64 + self.more_faults {
            1 => "1 fault".to_owned(),
            number => format!("{number} faults"),
        }
    }

    /// Takes in one more.
    pub(crate) fn add(&mut self, fault: Fault) {
        if self.faults.len() < MOST_KEPT {
            self.faults.push(fault);
        } else {
            self.more_faults += 1;
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// What it concerns.
    pub what: FaultKind,
    /// What is wrong, in words.
    pub detail: String,
    /// The message's number in the store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// The message's id, as far as it can still be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The message's source, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The queues or topics concerned.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub queues: Vec<String>,
}

impl Fault {
    /// One that concerns no message and no queue.
    pub(crate) fn new(what: FaultKind, detail: impl Into<String>) -> Self {
        Self { what, detail: detail.into(), sequence: None, id: None, source: None, queues: Vec::new() }
    }

    /// The same of that message, as far as it can be read.
    pub(super) fn named(self, Head { id, source, .. }: Head) -> Self {
        let readable = |text: String| (!text.is_empty()).then_some(text);
        Self { id: readable(id), source: readable(source), ..self }
    }
}

/// What a fault concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The database's own structure.
    Database,
    /// The bytes of a message are not those that were written.
    Checksum,
    /// A message is not what this program writes.
    Message,
    /// What is special about a message's copy in a queue.
    Copy,
    /// A failed delivery.
    Failure,
    /// A lease.
    Lease,
    /// Ids that are remembered against duplicates.
    RememberedIds,
    /// A queue's totals.
    Counters,
    /// A subscription.
    Subscription,
    /// A paced redrive.
    Redrive,
    /// A number that was not given out yet, or given out twice.
    Number,
    /// The broker could not start from it.
    Start,
    /// The file of the tokens that guard it.
    Tokens,
}
