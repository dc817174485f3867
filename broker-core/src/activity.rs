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

impl Activity {
    /// A subscriber alone missed a message, as it was full.
    pub(crate) fn missed(at: Timestamp, queue: QueueId, sequence: Sequence, identity: Identity) -> Self {
        let (sequence, identity) = (Some(sequence), Some(identity));
        Self {
            at,
            what: ActivityKind::Dropped,
            queue: Some(queue),
            topic: None,
            sequence,
            identity,
            consumer: None,
            reason: None,
        }
    }
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
    /// The queue was full: it gave way to a newer one, or never came in.
    Dropped,
    Purged,
    Discarded,
    Removed,
    AutoAcked,
}
