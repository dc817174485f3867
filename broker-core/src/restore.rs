//! A core made again from what the store kept.

use units::Timestamp;

use crate::{
    change::{
        CopyRecord, Effects, HighWater, LeaseRecord, MessageRecord, QueueRecord, RememberedId,
        SubscriptionRecord, TopicRecord,
    },
    core::Core,
    identity::{QueueId, Sequence},
};

/// A core that is being restored. Hand in all records of one kind before the next kind, in the order of
/// the methods; within a kind any order, but leases by their number and remembered ids by their time.
#[derive(Debug)]
pub struct Restore {
    core: Core,
}

impl Restore {
    pub(crate) fn new(seed: u64, high_water: HighWater) -> Self {
        let _ = high_water;
        Self { core: Core::new(seed) }
    }

    /// A queue.
    pub fn queue(&mut self, record: QueueRecord) {
        let _ = record;
    }

    /// A topic.
    pub fn topic(&mut self, record: TopicRecord) {
        let _ = record;
    }

    /// A subscription.
    pub fn subscription(&mut self, record: SubscriptionRecord) {
        let _ = record;
    }

    /// A message.
    pub fn message(&mut self, record: MessageRecord) {
        let _ = record;
    }

    /// What is special about a copy.
    pub fn copy(&mut self, record: CopyRecord) {
        let _ = record;
    }

    /// A copy that is gone while its message stays.
    pub fn copy_gone(&mut self, sequence: Sequence, queue: QueueId) {
        let _ = (sequence, queue);
    }

    /// A lease.
    pub fn lease(&mut self, record: LeaseRecord) {
        let _ = record;
    }

    /// A remembered id.
    pub fn remembered(&mut self, record: RememberedId) {
        let _ = record;
    }

    /// The restored core. Leases run again for their length, at most 30 s from `now`. The effects clear
    /// away what a stop in the middle left over.
    #[must_use]
    pub fn finish(self, now: Timestamp, effects: &mut Effects) -> Core {
        let _ = (now, effects);
        self.core
    }
}
