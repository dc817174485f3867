//! What happened, for journeys and live views. Nothing of it is written to disk.

use std::sync::Arc;

use units::Timestamp;

use crate::identity::{Identity, QueueId, Sequence, TopicId};

/// Something that happened, for journeys and live views; kept in memory only.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Activity {
    pub at: Timestamp,
    pub what: ActivityKind,
    /// Where it happened, or where it was published to.
    pub queue: Option<QueueId>,
    /// The topic it was published to.
    pub topic: Option<TopicId>,
    pub sequence: Option<Sequence>,
    pub identity: Option<Identity>,
    pub consumer: Option<Arc<str>>,
    pub reason: Option<Arc<str>>,
}

/// The kinds of [`Activity`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum ActivityKind {
    /// Stored (once a message, whatever the fan-out).
    Published,
    /// Placed in a queue.
    Copied,
    Leased,
    Acked,
    Nacked,
    /// Handed back uncounted.
    Returned,
    LeaseExpired,
    DeadLettered,
    Redriven,
    Replayed,
    Expired,
    Dropped,
    Purged,
    Discarded,
    Removed,
    AutoAcked,
}
