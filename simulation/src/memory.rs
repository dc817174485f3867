//! Committed state in plain maps, by the contract of `broker_core::change`: what is recorded here is all
//! that a restart of the core layer knows.

use std::collections::BTreeMap;

use broker_core::{
    Core, Restore, Why,
    change::{
        Change, CopyRecord, Effects, FailureRecord, HighWater, LeaseRecord, MessageRecord, QueueRecord,
        RedriveRecord, RememberedId, SubscriptionRecord, TopicRecord,
    },
    identity::{LeaseId, QueueId, RedriveId, Sequence, TopicId},
};
use bytes::Bytes;
use units::Timestamp;

use crate::{
    model::REDRIVE_LIMITS,
    plants::{Bug, Plant},
};

/// From how many remembered ids on the outdated are looked for.
const MANY_IDS: usize = 512;

/// The committed state.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    high_water: HighWater,
    at: Timestamp,
    queues: BTreeMap<QueueId, QueueRecord>,
    topics: BTreeMap<TopicId, TopicRecord>,
    subscriptions: BTreeMap<(TopicId, QueueId), SubscriptionRecord>,
    messages: BTreeMap<Sequence, (MessageRecord, Bytes)>,
    /// `None` says that the copy is gone.
    copies: BTreeMap<(Sequence, QueueId), Option<CopyRecord>>,
    failures: BTreeMap<(Sequence, QueueId), Vec<FailureRecord>>,
    leases: BTreeMap<LeaseId, LeaseRecord>,
    redrives: BTreeMap<RedriveId, RedriveRecord>,
    remembered: Vec<RememberedId>,
}

impl Memory {
    /// Commits a group.
    pub(crate) fn commit(&mut self, effects: &mut Effects, core: &Core, at: Timestamp, plant: &mut Plant) {
        for change in effects.changes.drain(..) {
            if let Some(change) = plant.change(change) {
                self.apply(change);
            }
        }
        for queue in effects.counted.drain(..) {
            if let (Some(record), Some(view)) = (self.queues.get_mut(&queue), core.queue_by_id(queue))
                && !plant.is(Bug::CountersNotWritten)
            {
                record.counters = view.counters;
            }
        }
        if !plant.is(Bug::NumbersNotWritten) {
            self.high_water = core.high_water();
        }
        self.at = at;
        self.forget_outdated(at);
    }

    /// The time of the last group.
    pub(crate) const fn at(&self) -> Timestamp {
        self.at
    }

    pub(crate) fn body(&self, sequence: Sequence) -> Option<&Bytes> {
        self.messages.get(&sequence).map(|(_, body)| body)
    }

    pub(crate) fn failures(&self, queue: QueueId, sequence: Sequence) -> &[FailureRecord] {
        let failures = self.failures.get(&(sequence, queue)).map_or(&[][..], Vec::as_slice);
        &failures[failures.len().saturating_sub(50)..]
    }

    /// The messages that are stored.
    pub(crate) fn stored(&self) -> impl Iterator<Item = Sequence> + '_ {
        self.messages.keys().copied()
    }

    /// The leases that are stored.
    pub(crate) fn leases(&self) -> impl Iterator<Item = LeaseId> + '_ {
        self.leases.keys().copied()
    }

    /// The paced redrives that are stored, with their lists.
    pub(crate) fn redrives(&self) -> impl Iterator<Item = (RedriveId, &[Sequence])> + '_ {
        self.redrives.iter().map(|(id, redrive)| (*id, &*redrive.sequences))
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::QueuePut(record) => drop(self.queues.insert(record.id, *record)),
            Change::QueueGone(id) => self.remove_queue(id),
            Change::TopicPut(record) => drop(self.topics.insert(record.id, record)),
            Change::TopicGone(id) => {
                self.topics.remove(&id);
                self.subscriptions.retain(|(topic, _), _| *topic != id);
                self.remembered.retain(|it| it.destination != id.0);
            }
            Change::SubscriptionPut(record) => {
                self.subscriptions.insert((record.topic, record.queue), record);
            }
            Change::SubscriptionGone(topic, queue) => drop(self.subscriptions.remove(&(topic, queue))),
            Change::MessagePut(record, body) => {
                self.messages.insert(record.sequence, (record, body));
            }
            Change::MessageGone { sequence, has_records } => self.remove_message(sequence, has_records),
            Change::CopyGone(sequence, queue) => {
                self.copies.insert((sequence, queue), None);
                self.failures.remove(&(sequence, queue));
            }
            Change::CopyPut(record) => {
                self.copies.insert((record.sequence, record.queue), Some(record));
            }
            Change::FailurePut(record) => {
                self.failures.entry((record.sequence, record.queue)).or_default().push(record);
            }
            Change::FailuresMoved { sequence, from, to } => {
                let mut failures = self.failures.remove(&(sequence, from)).unwrap_or_default();
                failures.iter_mut().for_each(|failure| failure.queue = to);
                self.failures.insert((sequence, to), failures);
            }
            Change::LeasePut(record) => drop(self.leases.insert(record.id, record)),
            Change::LeaseLength(id, length) => {
                if let Some(lease) = self.leases.get_mut(&id) {
                    lease.length = length;
                }
            }
            Change::LeaseGone(id) => drop(self.leases.remove(&id)),
            Change::RedrivePut(record) => drop(self.redrives.insert(record.id, record)),
            Change::RedriveProgress(id, progress) => {
                if let Some(redrive) = self.redrives.get_mut(&id) {
                    redrive.progress = progress;
                    if progress.ended_at.is_some() {
                        redrive.sequences = [].into();
                    }
                }
            }
            Change::RedriveGone(id) => drop(self.redrives.remove(&id)),
            // The core makes none.
            Change::Audited(_) => {}
            Change::IdRemembered(record) => self.remembered.push(record),
        }
    }

    fn remove_queue(&mut self, id: QueueId) {
        self.queues.remove(&id);
        self.subscriptions.retain(|(_, queue), _| *queue != id);
        self.leases.retain(|_, lease| lease.queue != id);
        self.remembered.retain(|it| it.destination != id.0);
    }

    fn remove_message(&mut self, sequence: Sequence, has_records: bool) {
        self.messages.remove(&sequence);
        if has_records {
            let all = (sequence, QueueId(0))..=(sequence, QueueId(u32::MAX));
            self.copies.extract_if(all.clone(), |_, _| true).for_each(drop);
            self.failures.extract_if(all, |_, _| true).for_each(drop);
        }
    }

    fn forget_outdated(&mut self, now: Timestamp) {
        if self.remembered.len() < MANY_IDS {
            return;
        }
        let (queues, topics) = (&self.queues, &self.topics);
        let window = |destination: u32| {
            let queue = queues.get(&QueueId(destination)).map(|it| it.settings.deduplication_window);
            queue.or_else(|| topics.get(&TopicId(destination)).map(|it| it.settings.deduplication_window))
        };
        self.remembered.retain(|it| window(it.destination).is_some_and(|window| it.at.plus(window) > now));
    }

    /// Starts a core from what is committed.
    pub(crate) fn restore(&self, why: Why, now: Timestamp, effects: &mut Effects, plant: &Plant) -> Core {
        let high_water =
            if self.high_water == HighWater::default() { Core::new(1).high_water() } else { self.high_water };
        let mut restore = Core::restore(1, high_water);
        self.hand_over(&mut restore, plant);
        let mut core = restore.finish(why, now, effects);
        core.limit_redrives(REDRIVE_LIMITS);
        core
    }

    fn hand_over(&self, into: &mut Restore, plant: &Plant) {
        self.queues.values().for_each(|it| into.queue(it.clone()));
        self.topics.values().for_each(|it| into.topic(it.clone()));
        let subscriptions = self.subscriptions.values().map(|it| plant.restored_subscription(it));
        subscriptions.for_each(|it| into.subscription(it));
        let messages = self.messages.values().map(|(it, _)| plant.restored_message(it, &self.topics));
        messages.for_each(|it| into.message(it));
        let copies = self.copies.values().flatten().map(|it| plant.restored_copy(it));
        copies.for_each(|it| into.copy(it));
        if !plant.is(Bug::GoneComesBack) {
            let gone = self.copies.iter().filter(|(_, copy)| copy.is_none());
            gone.for_each(|((sequence, queue), _)| into.copy_gone(*sequence, *queue));
        }
        if !plant.is(Bug::LeasesForgotten) {
            self.leases.values().for_each(|it| into.lease(it.clone()));
        }
        self.redrives.values().map(|it| plant.restored_redrive(it)).for_each(|it| into.redrive(it));
        if !plant.is(Bug::IdsForgotten) {
            self.remembered.iter().for_each(|it| into.remembered(*it));
        }
    }
}
