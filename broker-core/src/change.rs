//! What a decision changes, as the store writes it, and the records that a core is restored from.
//!
//! A message is stored once, with the queues it was first placed in. A copy of it in one of those
//! queues needs no row of its own while nothing special happened to it: it waits, or a lease names it.
//! A [`CopyRecord`] is written when it fails, is handed back, dies, is redriven or moved; and
//! [`Change::CopyGone`] where other copies of the message remain.
//!
//! A lease is one record for all the messages of one receive. A copy is leased under the latest lease
//! that names it, unless its record says that this lease, or a later one, has ended
//! ([`CopyRecord::ended_lease`]).

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use units::Timestamp;

use crate::{
    activity::{Activity, ActivityKind},
    counters::QueueCounters,
    filter::Filter,
    identity::{Identity, LeaseId, Name, QueueId, RedriveId, Sequence, TopicId},
    settings::{OnFull, QueueSettings, Start, TopicSettings},
};

/// One change of durable state. Changes are applied in the order they were made, all or none.
#[derive(Clone, Debug)]
pub enum Change {
    /// A queue was created or its settings changed.
    QueuePut(Box<QueueRecord>),
    /// A queue was removed with its leases, subscriptions and remembered ids. Records of its copies and failures
    /// stay until their messages are gone: they may be many, and its number is never used again.
    QueueGone(QueueId),
    /// A topic was created or changed.
    TopicPut(TopicRecord),
    /// A topic was removed with its subscriptions and remembered ids. Records of its copies stay as those of a
    /// queue do.
    TopicGone(TopicId),
    /// A subscription was made or changed (also its running total of dropped messages).
    SubscriptionPut(SubscriptionRecord),
    /// A subscription was taken away.
    SubscriptionGone(TopicId, QueueId),
    /// A message was stored.
    MessagePut(MessageRecord, Bytes),
    /// The last copy of a message is gone: the message, and all records of its copies and failures.
    MessageGone {
        /// Which.
        sequence: Sequence,
        /// Whether copy records or failures of it were ever written, so that there is more to remove.
        has_records: bool,
    },
    /// One copy is gone, others remain; replaces its record, removes its failures.
    CopyGone(Sequence, QueueId),
    /// A copy's record was made or changed.
    CopyPut(CopyRecord),
    /// A delivery failed; the copy's new record follows as a change of its own.
    FailurePut(FailureRecord),
    /// A dead letter is redriven to another queue: its failures are filed under that queue now. The
    /// copy's going from one and its coming into the other follow as changes of their own.
    FailuresMoved {
        /// The message.
        sequence: Sequence,
        /// The queue it was a dead letter of.
        from: QueueId,
        /// The queue it waits in now.
        to: QueueId,
    },
    /// A lease was given.
    LeasePut(LeaseRecord),
    /// A lease's length changed (an extend, or a start that cut it).
    LeaseLength(LeaseId, Duration),
    /// Nothing is leased under it any more.
    LeaseGone(LeaseId),
    /// A paced redrive was started.
    RedrivePut(RedriveRecord),
    /// It went on, or ended: then its list of dead letters is kept no longer.
    RedriveProgress(RedriveId, RedriveProgress),
    /// It is forgotten.
    RedriveGone(RedriveId),
    /// Something was done by hand; takes the place of an item of the same number. The core never makes this
    /// one: who did it is known outside.
    Audited(AuditRecord),
    /// An id is remembered. The store packs all of a group into one row.
    IdRemembered(RememberedId),
}

/// A queue.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct QueueRecord {
    pub id: QueueId,
    pub name: Name,
    pub settings: QueueSettings,
    pub counters: QueueCounters,
}

/// A topic.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct TopicRecord {
    pub id: TopicId,
    pub name: Name,
    pub settings: TopicSettings,
}

/// A subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct SubscriptionRecord {
    pub topic: TopicId,
    pub queue: QueueId,
    pub on_full: OnFull,
    pub filter: Option<Filter>,
    pub start: Start,
    /// How many messages this subscriber missed because it was full.
    pub dropped: u64,
}

/// A message without its bytes.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct MessageRecord {
    pub sequence: Sequence,
    pub identity: Identity,
    pub key: Option<Arc<str>>,
    pub size: u32,
    pub published_at: Timestamp,
    /// The queues it was placed in, with when it can first be received there and when it expires; and
    /// the topic that retains it, by its number among those of queues.
    pub placements: Vec<Placement>,
}

/// A message's place in one queue as it was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Placement {
    pub queue: QueueId,
    pub available_at: Timestamp,
    pub expires_at: Option<Timestamp>,
}

/// What is special about one copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyRecord {
    /// The message.
    pub sequence: Sequence,
    /// The queue.
    pub queue: QueueId,
    /// Whether it waits or is dead.
    pub state: CopyState,
    /// Where it stands in the queue's order: when it could first be received, ties by sequence.
    pub position_at: Timestamp,
    /// When it expires while it waits.
    pub expires_at: Option<Timestamp>,
    /// How long it may wait, from when it can be received: what a redrive starts again.
    pub ttl: Option<Duration>,
    /// How many deliveries count so far.
    pub delivery_count: u32,
    /// How many failures were recorded, redrives included (those beyond the last 50 are forgotten).
    pub failures: u32,
    /// How often it was redriven.
    pub redrive_count: u32,
    /// When it was first handed out.
    pub first_delivered_at: Option<Timestamp>,
    /// When it first failed.
    pub first_failed_at: Option<Timestamp>,
    /// When it last failed.
    pub last_failed_at: Option<Timestamp>,
    /// The latest lease of it that has ended; leases up to it hold it no more.
    pub ended_lease: Option<LeaseId>,
    /// Whether that lease was ended by a nack: the same nack sent again is `done`.
    pub ended_by_nack: bool,
    /// Whether it came here by a replay.
    pub replayed: bool,
}

/// The state of a copy that has a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyState {
    /// It waits; ready from that time on.
    Waiting {
        /// When it is ready.
        available_at: Timestamp,
    },
    /// It is a dead letter since that time.
    Dead {
        /// Since when.
        since: Timestamp,
    },
}

/// One failed delivery (or one death without a delivery, such as an expiry or an overflow).
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct FailureRecord {
    pub sequence: Sequence,
    /// Under which it is filed: the queue that holds the message.
    pub queue: QueueId,
    /// In which it happened: a redrive may have moved the message since.
    pub failed_in: QueueId,
    /// 1 for the first of this copy.
    pub number: u32,
    pub delivery_count: u32,
    pub delivered_at: Option<Timestamp>,
    pub ended_at: Timestamp,
    pub consumer: Option<Arc<str>>,
    pub outcome: FailureOutcome,
    /// Whether it made the message a dead letter.
    pub fatal: bool,
    pub reason: Option<Arc<str>>,
}

/// How a delivery failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureOutcome {
    /// Its consumer said so.
    Nacked,
    /// Its lease ran out.
    LeaseExpired,
    /// It went to the dead letters at once.
    DeadLettered,
}

impl FailureOutcome {
    /// As what the end of the delivery is noted; `None` where the message went to the dead letters at once.
    #[must_use]
    pub const fn of_delivery(self) -> Option<ActivityKind> {
        match self {
            Self::Nacked => Some(ActivityKind::Nacked),
            Self::LeaseExpired => Some(ActivityKind::LeaseExpired),
            Self::DeadLettered => None,
        }
    }
}

/// A lease: one receive that handed out messages.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct LeaseRecord {
    pub id: LeaseId,
    pub queue: QueueId,
    pub receive_id: Option<Arc<str>>,
    pub consumer: Option<Arc<str>>,
    pub leased_at: Timestamp,
    pub length: Duration,
    pub sequences: Vec<Sequence>,
}

/// An id that a destination remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct RememberedId {
    /// The queue's or topic's number (they draw from one counter).
    pub destination: u32,
    pub whole: u128,
    pub fingerprint: u64,
    pub queues: u32,
    pub at: Timestamp,
}

/// A paced redrive.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct RedriveRecord {
    pub id: RedriveId,
    pub from: Name,
    pub to: Name,
    pub per_second: u32,
    pub started_at: Timestamp,
    /// How many dead letters it began with.
    pub total: u64,
    /// The dead letters, in their order; none once it ended.
    pub sequences: Arc<[Sequence]>,
    pub progress: RedriveProgress,
}

/// How far a paced redrive is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RedriveProgress {
    /// How many of its dead letters had their turn.
    pub passed: u64,
    /// How many of those were redriven; the others were no dead letters any more.
    pub redriven: u64,
    /// When it ended: all had their turn, or a queue of it was removed.
    pub ended_at: Option<Timestamp>,
}

/// Something that was done by hand, for the audit trail.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct AuditRecord {
    /// Its place in the trail.
    pub number: u64,
    /// When it was done, or begun where it took several groups.
    pub at: Timestamp,
    /// The token's name.
    pub who: Arc<str>,
    /// A word such as `redrive`.
    pub action: Arc<str>,
    pub queue: Option<Arc<str>>,
    pub topic: Option<Arc<str>>,
    /// The other queue, where there is one.
    pub to: Option<Arc<str>>,
    /// How many messages it concerned.
    pub count: u64,
    /// What was asked for, as JSON.
    pub request: Option<Arc<str>>,
}

/// The numbers that are never used again; written with every group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HighWater {
    /// The next message's.
    pub next_sequence: u64,
    /// The next lease's.
    pub next_lease: u64,
    /// The next queue's, topic's or paced redrive's.
    pub next_destination: u32,
}

/// What decisions leave to be done. One is reused from group to group.
#[derive(Debug, Default)]
pub struct Effects {
    /// What to write, in order.
    pub changes: Vec<Change>,
    /// What happened.
    pub activities: Vec<Activity>,
    /// Queues whose counters changed (unsorted, may repeat).
    pub counted: Vec<QueueId>,
    /// Queues in which a message became ready (unsorted, may repeat): whoever waits there may try.
    pub woken: Vec<QueueId>,
}
