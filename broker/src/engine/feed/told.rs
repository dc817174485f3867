//! What is told: what happened, with names and texts, and how much was left out.

use std::sync::Arc;

use broker_core::{activity::ActivityKind, identity::Name};
use units::Timestamp;

/// What an item takes beside its texts, in bytes, about.
const ITEM_BYTES: usize = 256;
/// What one count of a [`LeftOut`] takes, in bytes, about.
const COUNT_BYTES: usize = 32;

/// An item of the feed.
#[derive(Debug, PartialEq, Eq)]
pub enum Told {
    /// Something that happened.
    Activity(ToldActivity),
    /// What happened besides and was too much to tell.
    LeftOut(LeftOut),
}

/// Something that happened, with names and texts.
#[derive(Debug, PartialEq, Eq)]
pub struct ToldActivity {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: ActivityKind,
    /// In which queue.
    pub queue: Option<Name>,
    /// To which topic it was published.
    pub topic: Option<Name>,
    /// Which message; `None` where its record can't be found any more.
    pub message: Option<ToldMessage>,
    /// Who received it.
    pub consumer: Option<Arc<str>>,
    /// Why it failed.
    pub reason: Option<Arc<str>>,
}

/// What a message is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldMessage {
    /// Its id.
    pub id: Box<str>,
    /// Its source.
    pub source: Box<str>,
    /// Its type.
    pub kind: Box<str>,
}

/// How many activities were not told, by queue and kind.
#[derive(Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// When the last of them happened, about.
    pub at: Timestamp,
    /// How many.
    pub counts: Vec<(Option<Name>, ActivityKind, u64)>,
}

impl Told {
    /// What it takes in memory, about.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Activity(told) => {
                let named = told.message.as_ref().map_or(0, ToldMessage::bytes);
                let texts = [&told.consumer, &told.reason].into_iter().flatten().map(|text| text.len());
                ITEM_BYTES + named + texts.sum::<usize>()
            }
            Self::LeftOut(left_out) => ITEM_BYTES + left_out.counts.len() * COUNT_BYTES,
        }
    }
}

impl ToldMessage {
    fn bytes(&self) -> usize {
        self.id.len() + self.source.len() + self.kind.len()
    }
}
