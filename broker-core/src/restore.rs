//! A core made again from what the store kept.

use units::Timestamp;

use crate::{
    change::{
        Change, CopyRecord, Effects, HighWater, LeaseRecord, MessageRecord, QueueRecord, RedriveRecord,
        RememberedId, SubscriptionRecord, TopicRecord,
    },
    core::{Core, Step},
    deduplication::Remembered,
    identity::{LeaseId, QueueId, Sequence, TopicId},
    lease::LONGEST_AFTER_RESTART,
    message::State,
    redrive::Redrive,
    topic::Subscription,
};

/// Why a core is made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The broker was stopped: consumers may be gone, and their leases run again for 30 s at the most. So it is
    /// until the effects of such a start are on disk.
    Start,
    /// A group was undone in a broker that goes on: leases run again for their whole length, so that none ends
    /// before the time that its consumer was told.
    Undo,
}

/// A core that is being restored. Hand in all records of one kind before the next kind, in the order of
/// the methods; within a kind any order, but leases by their number and remembered ids by their time.
/// Records of queues and topics that are gone are passed over.
#[derive(Debug)]
pub struct Restore {
    core: Core,
    leases: Vec<LeaseRecord>,
}

impl Restore {
    pub(crate) fn new(seed: u64, high_water: HighWater) -> Self {
        let mut core = Core::new(seed);
        core.high_water = high_water;
        Self { core, leases: Vec::new() }
    }

    /// A queue.
    pub fn queue(&mut self, record: QueueRecord) {
        self.core.add_queue(record);
    }

    /// A topic.
    pub fn topic(&mut self, record: TopicRecord) {
        self.core.add_topic(record);
    }

    /// A subscription.
    pub fn subscription(&mut self, record: SubscriptionRecord) {
        let SubscriptionRecord { topic, queue, on_full, filter, start, dropped } = record;
        let Some(topic) = self.core.topics.get_mut(&topic) else { return };
        if self.core.queues.contains_key(&queue) {
            topic.subscriptions.insert(queue, Subscription { on_full, filter, start, dropped });
        }
    }

    /// A message.
    pub fn message(&mut self, record: MessageRecord) {
        self.core.add_message(&record);
    }

    /// What is special about a copy. Of a queue that is gone, it goes with its message.
    pub fn copy(&mut self, record: CopyRecord) {
        if self.core.queues.contains_key(&record.queue) {
            self.core.messages.restore_copy(&record);
        } else {
            self.core.messages.restore_gone(record.sequence, record.queue);
        }
    }

    /// A copy that is gone while its message stays.
    pub fn copy_gone(&mut self, sequence: Sequence, queue: QueueId) {
        self.core.messages.restore_gone(sequence, queue);
    }

    /// A lease.
    pub fn lease(&mut self, record: LeaseRecord) {
        for sequence in &record.sequences {
            self.lease_copy(*sequence, record.queue, record.id);
        }
        self.leases.push(record);
    }

    /// A copy is leased under the latest lease that names it, unless it is on record that it ended.
    fn lease_copy(&mut self, sequence: Sequence, queue: QueueId, lease: LeaseId) {
        let Some(slot) = self.core.messages.find_copy(sequence, queue) else { return };
        let copy = self.core.messages.copy_mut(slot);
        if copy.trail().ended_lease.is_none_or(|ended| ended < lease) {
            copy.state = State::Leased(lease);
        }
    }

    /// A paced redrive.
    pub fn redrive(&mut self, record: RedriveRecord) {
        self.core.redrives.insert(record.id, Redrive::new(record));
    }

    /// A remembered id.
    pub fn remembered(&mut self, record: RememberedId) {
        let RememberedId { destination, whole, fingerprint, queues, at } = record;
        let what = Remembered { fingerprint, at, queues };
        if let Some(queue) = self.core.queues.get_mut(&QueueId(destination)) {
            queue.remembered.remember(whole, what, queue.window());
        } else if let Some(topic) = self.core.topics.get_mut(&TopicId(destination)) {
            topic.remembered.remember(whole, what, topic.window());
        }
    }

    /// The restored core. Leases run again from `now` on. The effects clear away what a stop in the middle left
    /// over.
    #[must_use]
    pub fn finish(mut self, why: Why, now: Timestamp, effects: &mut Effects) -> Core {
        let step = &mut Step { now, effects };
        for lease in std::mem::take(&mut self.leases) {
            self.run_lease_again(lease, why, step);
        }
        self.adopt_copies(step);
        self.core.open(step);
        self.core
    }

    fn run_lease_again(&mut self, mut record: LeaseRecord, why: Why, step: &mut Step<'_>) {
        let is_cut = why == Why::Start && record.length > LONGEST_AFTER_RESTART;
        if is_cut {
            record.length = LONGEST_AFTER_RESTART;
        }
        let expires_at = step.now.plus(record.length);
        let messages = &mut self.core.messages;
        let mut open = 0;
        for sequence in &record.sequences {
            let Some(slot) = messages.find_copy(*sequence, record.queue) else { continue };
            let copy = messages.copy_mut(slot);
            if copy.state == State::Leased(record.id) {
                let trail = copy.trail_mut();
                trail.delivery_count += 1;
                trail.first_delivered_at.get_or_insert(record.leased_at);
                trail.lease_expires_at = expires_at;
                open += 1;
            }
        }
        match self.core.queues.get_mut(&record.queue) {
            Some(queue) if open > 0 => {
                if is_cut {
                    step.effects.changes.push(Change::LeaseLength(record.id, record.length));
                }
                queue.leases.insert(record, open, expires_at);
            }
            _ => step.effects.changes.push(Change::LeaseGone(record.id)),
        }
    }

    /// Puts every copy where its state says; messages without one are left over.
    fn adopt_copies(&mut self, step: &mut Step<'_>) {
        let slots: Vec<_> = self.core.messages.all().collect();
        for message in slots {
            let copies: Vec<_> = self.core.messages.copies_of(message).collect();
            if copies.is_empty() {
                self.core.left_over.push((self.core.messages.message(message).sequence, QueueId(0)));
            }
            let sequence = self.core.messages.message(message).sequence;
            for copy in copies {
                let place = self.core.messages.copy(copy).queue;
                if let Some(topic) = self.core.topics.get_mut(&TopicId(place.0)) {
                    topic.retain(sequence, &self.core.messages);
                } else {
                    self.core.lend_queue(place, step, |queue, turn| queue.adopt(copy, turn));
                }
            }
        }
    }
}
