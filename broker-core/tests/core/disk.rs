//! A store of plain maps, by the contract of `change`: what is recorded here is all that a restart knows.

use std::collections::BTreeMap;

use broker_core::{
    Core, Why,
    change::{
        Change, CopyRecord, Effects, FailureRecord, HighWater, LeaseRecord, MessageRecord, QueueRecord,
        RedriveRecord, RememberedId, SubscriptionRecord, TopicRecord,
    },
    identity::{LeaseId, QueueId, RedriveId, Sequence, TopicId},
};
use units::Timestamp;

#[derive(Debug, Default)]
pub(crate) struct Disk {
    pub(crate) high_water: HighWater,
    pub(crate) queues: BTreeMap<QueueId, QueueRecord>,
    topics: BTreeMap<TopicId, TopicRecord>,
    subscriptions: BTreeMap<(TopicId, QueueId), SubscriptionRecord>,
    pub(crate) messages: BTreeMap<Sequence, MessageRecord>,
    /// `None` says that the copy is gone.
    copies: BTreeMap<(Sequence, QueueId), Option<CopyRecord>>,
    pub(crate) failures: BTreeMap<(Sequence, QueueId), Vec<FailureRecord>>,
    pub(crate) leases: BTreeMap<LeaseId, LeaseRecord>,
    redrives: BTreeMap<RedriveId, RedriveRecord>,
    remembered: Vec<RememberedId>,
}

impl Disk {
    pub(crate) fn record(&mut self, effects: &mut Effects, core: &Core) {
        for change in effects.changes.drain(..) {
            self.apply(change);
        }
        for queue in effects.counted.drain(..) {
            if let (Some(record), Some(view)) = (self.queues.get_mut(&queue), core.queue_by_id(queue)) {
                record.counters = view.counters;
            }
        }
        self.high_water = core.high_water();
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::QueuePut(record) => drop(self.queues.insert(record.id, *record)),
            Change::QueueGone(id) => self.remove_queue(id),
            Change::TopicPut(record) => drop(self.topics.insert(record.id, record)),
            Change::TopicGone(id) => {
                self.topics.remove(&id).expect("a topic that goes was there");
                self.subscriptions.retain(|(topic, _), _| *topic != id);
                self.remembered.retain(|it| it.destination != id.0);
            }
            Change::SubscriptionPut(record) => {
                self.subscriptions.insert((record.topic, record.queue), record);
            }
            Change::SubscriptionGone(topic, queue) => {
                self.subscriptions.remove(&(topic, queue)).expect("a subscription that goes was there");
            }
            Change::MessagePut(record, _) => {
                assert!(self.messages.insert(record.sequence, record).is_none(), "a number was used twice");
            }
            Change::MessageGone { sequence, has_records } => self.remove_message(sequence, has_records),
            Change::CopyGone(sequence, queue) => {
                self.copies.insert((sequence, queue), None);
                self.failures.remove(&(sequence, queue));
            }
            Change::CopyPut(record) => {
                assert!(self.messages.contains_key(&record.sequence), "a copy of an unknown message");
                self.copies.insert((record.sequence, record.queue), Some(record));
            }
            Change::FailurePut(record) => {
                self.failures.entry((record.sequence, record.queue)).or_default().push(record);
            }
            Change::FailuresMoved { sequence, from, to } => {
                let failures = self.failures.remove(&(sequence, from)).unwrap_or_default();
                self.failures.insert((sequence, to), failures);
            }
            Change::LeasePut(record) => drop(self.leases.insert(record.id, record)),
            Change::LeaseLength(id, length) => {
                self.leases.get_mut(&id).expect("a lease that is extended is there").length = length;
            }
            Change::LeaseGone(id) => {
                self.leases.remove(&id).expect("a lease that goes was there");
            }
            Change::RedrivePut(record) => drop(self.redrives.insert(record.id, record)),
            Change::RedriveProgress(id, progress) => {
                let redrive = self.redrives.get_mut(&id).expect("a redrive that goes on is there");
                redrive.progress = progress;
                if progress.ended_at.is_some() {
                    redrive.sequences = [].into();
                }
            }
            Change::RedriveGone(id) => {
                self.redrives.remove(&id).expect("a redrive that goes was there");
            }
            Change::Audited(record) => panic!("the core audits nothing by itself: {record:?}"),
            Change::IdRemembered(record) => self.remembered.push(record),
        }
    }

    fn remove_queue(&mut self, id: QueueId) {
        self.queues.remove(&id).expect("a queue that goes was there");
        self.subscriptions.retain(|(_, queue), _| *queue != id);
        self.leases.retain(|_, lease| lease.queue != id);
        self.remembered.retain(|it| it.destination != id.0);
    }

    /// Trusts `has_records` as the real store does, and checks it.
    fn remove_message(&mut self, sequence: Sequence, has_records: bool) {
        self.messages.remove(&sequence).expect("a message that goes was there");
        let records =
            self.copies.keys().chain(self.failures.keys()).filter(|(of, _)| *of == sequence).count();
        assert!(has_records || records == 0, "records of {sequence:?} would be left over");
        self.copies.retain(|(of, _), _| *of != sequence);
        self.failures.retain(|(of, _), _| *of != sequence);
    }

    /// A core that knows what is recorded here, and nothing else.
    pub(crate) fn restore(&mut self, why: Why, now: Timestamp) -> Core {
        let mut restore = Core::restore(2, self.high_water);
        self.queues.values().for_each(|it| restore.queue(it.clone()));
        self.topics.values().for_each(|it| restore.topic(it.clone()));
        self.subscriptions.values().for_each(|it| restore.subscription(it.clone()));
        self.messages.values().for_each(|it| restore.message(it.clone()));
        self.copies.values().flatten().for_each(|it| restore.copy(it.clone()));
        for ((sequence, queue), copy) in &self.copies {
            if copy.is_none() {
                restore.copy_gone(*sequence, *queue);
            }
        }
        self.leases.values().for_each(|it| restore.lease(it.clone()));
        self.redrives.values().for_each(|it| restore.redrive(it.clone()));
        self.remembered.iter().for_each(|it| restore.remembered(*it));
        let mut effects = Effects::default();
        let core = restore.finish(why, now, &mut effects);
        self.record(&mut effects, &core);
        core
    }
}
