//! What looks at the core answer: queues, topics, waiting messages and dead letters as they are now.
//! Nothing here changes anything.

use units::Timestamp;

use crate::{
    counters::{QueueCounters, QueueGauges, TopicCounters},
    filter::Filter,
    identity::{Name, QueueId, RedriveId, Sequence, TopicId},
    settings::{OnFull, QueueSettings, Start, TopicSettings},
};

/// Where a message stands in its queue: when it could first be received, ties in publish order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// When it could first be received.
    pub at: Timestamp,
    /// Its number.
    pub sequence: Sequence,
}

/// A queue as it is now.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct QueueView<'core> {
    pub id: QueueId,
    pub name: &'core Name,
    pub settings: &'core QueueSettings,
    pub counters: QueueCounters,
    pub gauges: QueueGauges,
    /// When the oldest message that is ready, leased or delayed could first be received; in the future where all
    /// are delayed ones whose time has not come.
    pub oldest_at: Option<Timestamp>,
    /// How many ids are remembered for deduplication.
    pub remembered_ids: u64,
    /// How many ids were forgotten early for want of room, since the broker started or last undid a group.
    pub ids_forgotten_early: u64,
}

/// A topic as it is now.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct TopicView<'core> {
    pub id: TopicId,
    pub name: &'core Name,
    pub settings: &'core TopicSettings,
    /// How many messages are kept for replay.
    pub retained: u64,
    /// How many bytes of them.
    pub retained_bytes: u64,
    pub counters: TopicCounters,
    /// How many ids are remembered for deduplication.
    pub remembered_ids: u64,
    /// How many ids were forgotten early for want of room, since the broker started or last undid a group.
    pub ids_forgotten_early: u64,
}

/// A subscription as it is now.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct SubscriptionView<'core> {
    pub queue: QueueId,
    pub queue_name: &'core Name,
    pub on_full: OnFull,
    pub filter: Option<&'core Filter>,
    pub start: Start,
    /// How many messages this subscriber missed because it was full.
    pub dropped: u64,
}

/// The states in which a message is in the way of being consumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WaitingState {
    /// It waits for nothing but a consumer, and its turn where order is kept.
    Ready,
    /// It is handed out.
    Leased,
    /// It waits for a time: its delay or its backoff.
    Delayed,
}

/// A message that was browsed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Browsed {
    /// Where the list goes on after it.
    pub position: Position,
    pub sequence: Sequence,
    pub state: WaitingState,
    pub published_at: Timestamp,
    /// When it is ready; only of a delayed one.
    pub available_at: Option<Timestamp>,
    pub delivery_count: u32,
}

/// A message that a topic keeps for replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Retained {
    pub sequence: Sequence,
    pub published_at: Timestamp,
}

/// Where a message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whereabouts {
    /// Which.
    pub sequence: Sequence,
    /// The queues that hold it, dead letters too, in the order of their numbers.
    pub queues: Vec<QueueId>,
    /// The topic that retains it.
    pub topic: Option<TopicId>,
}

/// A paced redrive.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct RedriveView {
    pub id: RedriveId,
    pub from: Name,
    pub to: Name,
    pub per_second: u32,
    pub started_at: Timestamp,
    pub redriven: u64,
    /// How many had their turn when they were no dead letters any more, or the queue that they go to held them.
    pub skipped: u64,
    /// How many dead letters are still to have their turn.
    pub remaining: u64,
    /// Whether it waits for room in the queue that they go to.
    pub waits_for_room: bool,
    pub ended_at: Option<Timestamp>,
}

/// A dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct DeadLetter {
    pub sequence: Sequence,
    /// Since when; with the sequence, where the list goes on after it.
    pub since: Timestamp,
    pub published_at: Timestamp,
    pub delivery_count: u32,
    pub redrive_count: u32,
    pub first_failed_at: Timestamp,
    pub last_failed_at: Timestamp,
}
