//! The shadow: what the broker must do, said as plainly as can be. It keeps no index, searches lists from
//! the front, and is told every command and every passing of time; the real core must answer and look the
//! same after each.
//!
//! It follows API.md and knows nothing of records on disk: a restart changes only what API.md says that
//! a restart changes.

mod dead;
mod listing;
mod pacing;
mod publishing;
mod queue;
mod receiving;
mod remembered;
mod settings;
mod settling;
mod time;
mod topic;

use std::{collections::BTreeMap, sync::Arc};

use broker_core::{
    Why,
    change::HighWater,
    command::{Command, Destination},
    counters::QueueCounters,
    identity::{Identity, LeaseId, Name, QueueId, RedriveId, Sequence},
    reply::{Refusal, Reply},
    settings::QueueSettings,
};
use bytes::Bytes;
use units::Timestamp;

pub(crate) use self::{pacing::LIMITS as REDRIVE_LIMITS, queue::LONGEST_AFTER_RESTART};
pub use self::{
    pacing::Redrive,
    queue::{Copy, Lease, Queue, State},
    topic::{Subscription, Topic},
};

/// A message as it was published.
#[derive(Debug)]
pub struct Message {
    /// Its number.
    pub sequence: Sequence,
    /// Who it is.
    pub identity: Identity,
    /// Its partition key.
    pub key: Option<Arc<str>>,
    /// What it counts against `max_bytes`.
    pub size: u32,
    /// When it was published.
    pub published_at: Timestamp,
    /// Its type, where it went to a topic.
    pub kind: Arc<str>,
    /// The event as it is stored.
    pub body: Bytes,
}

/// What the broker must hold.
#[derive(Clone, Debug)]
pub struct Model {
    /// The queues by name.
    pub queues: BTreeMap<Name, Queue>,
    /// The topics by name.
    pub topics: BTreeMap<Name, Topic>,
    /// The paced redrives.
    pub redrives: BTreeMap<RedriveId, Redrive>,
    /// The numbers that come next.
    pub next: HighWater,
}

impl Default for Model {
    fn default() -> Self {
        let next = HighWater { next_sequence: 1, next_lease: 1, next_destination: 1 };
        Self { queues: BTreeMap::new(), topics: BTreeMap::new(), redrives: BTreeMap::new(), next }
    }
}

impl Model {
    /// What a command must answer.
    ///
    /// # Errors
    /// The refusal that it must meet; nothing changed then but the count of refused messages.
    pub fn apply(&mut self, command: &Command, now: Timestamp) -> Result<Reply, Refusal> {
        match command {
            Command::PutQueue { name, settings, only_create } => self.put_queue(name, settings, *only_create),
            Command::DeleteQueue { name, force } => self.delete_queue(name, *force, now),
            Command::PurgeQueue { name, before, limit } => {
                Ok(Reply::Removed { count: named(&mut self.queues, name)?.purge(*before, *limit) })
            }
            Command::PutTopic { name, settings, only_create } => self.put_topic(name, settings, *only_create),
            Command::DeleteTopic { name } => match self.topics.remove(name) {
                Some(_) => Ok(Reply::Removed { count: 1 }),
                None => Err(Refusal::TopicNotFound(name.clone())),
            },
            Command::PutSubscription { topic, queue, settings, only_create, .. } => {
                self.subscribe(topic, queue, settings, *only_create, now)
            }
            Command::DeleteSubscription { topic, queue } => self.unsubscribe(topic, queue),
            Command::Replay { topic, queue, span, .. } => self.replay(topic, queue, *span, now),
            Command::Publish(publish) => match &publish.destination {
                Destination::Queue(name) => self.publish_to_queue(name, publish, now),
                Destination::Topic(name) => self.publish_to_topic(name, publish, now),
            },
            Command::Receive(receive) => {
                let next_lease = &mut self.next.next_lease;
                named(&mut self.queues, &receive.queue)?.receive(receive, next_lease, now)
            }
            Command::Ack { queue, receipts } => self.settling(queue, receipts, |queue| queue.ack(receipts)),
            Command::Nack(nack) => self.settling(&nack.queue, &nack.receipts, |queue| queue.nack(nack, now)),
            Command::Extend { queue, receipts, lease } => {
                self.settling(queue, receipts, |queue| queue.extend(receipts, *lease, now))
            }
            Command::RemoveMessage { queue, message } => named(&mut self.queues, queue)?.remove(*message),
            Command::Redrive { queue, which, to, limit } => {
                self.redrive(queue, which, to.as_ref(), *limit, now)
            }
            Command::StartRedrive { queue, which, to, limit, per_second } => {
                self.start_redrive(queue, which, to.as_ref(), *limit, *per_second, now)
            }
            Command::StopRedrive { redrive } => match self.redrives.remove(redrive) {
                Some(stopped) => Ok(Reply::Removed { count: stopped.progress.redriven }),
                None => Err(Refusal::RedriveNotFound(*redrive)),
            },
            Command::DeadLetter { queue, sequences, reason } => {
                Ok(Reply::Removed { count: named(&mut self.queues, queue)?.lose(sequences, reason, now) })
            }
            Command::DiscardDeadLetters { queue, which } => named(&mut self.queues, queue)?.discard(which),
        }
    }

    fn put_queue(
        &mut self,
        name: &Name,
        patch: &broker_core::settings::QueueSettingsPatch,
        only_create: bool,
    ) -> Result<Reply, Refusal> {
        if let Some(queue) = self.queues.get_mut(name) {
            if only_create {
                return Err(Refusal::AlreadyExists);
            }
            let changed = settings::queue(&queue.settings, patch);
            let waits = queue.copies.iter().any(|copy| !copy.is_dead());
            if changed.ordering != queue.settings.ordering && waits {
                return Err(Refusal::SettingConflict { setting: "ordering" });
            }
            queue.settings = changed;
            return Ok(Reply::Put { created: false });
        }
        let settings = settings::queue(&QueueSettings::default(), patch);
        let id = QueueId(self.next_destination());
        self.queues.insert(name.clone(), Queue::new(id, name.clone(), settings));
        Ok(Reply::Put { created: true })
    }

    fn delete_queue(&mut self, name: &Name, force: bool, now: Timestamp) -> Result<Reply, Refusal> {
        let queue = named(&mut self.queues, name)?;
        if !force && !queue.copies.is_empty() {
            let dead = queue.dead().len() as u64;
            return Err(Refusal::QueueNotEmpty { live: queue.copies.len() as u64 - dead, dead });
        }
        let (id, count) = (queue.id, queue.copies.len() as u64);
        self.queues.remove(name);
        for topic in self.topics.values_mut() {
            topic.subscriptions.remove(&id);
        }
        for redrive in self.redrives.values_mut() {
            redrive.end_if([&redrive.from, &redrive.to].contains(&name), now);
        }
        Ok(Reply::Removed { count })
    }

    /// The broker was restarted, or a group of it undone: leases that were live run again, paces count anew.
    pub fn restart(&mut self, why: Why, now: Timestamp) {
        for queue in self.queues.values_mut() {
            queue.restart(why, now);
        }
        for redrive in self.redrives.values_mut() {
            redrive.restart(now);
        }
    }

    pub(crate) fn next_destination(&mut self) -> u32 {
        let number = self.next.next_destination;
        self.next.next_destination += 1;
        number
    }

    /// The latest lease that was given: no older one can name what comes into a queue now.
    pub(crate) fn latest_lease(&self) -> LeaseId {
        LeaseId(self.next.next_lease - 1)
    }

    pub(crate) fn queue_of(&self, id: QueueId) -> Option<&Queue> {
        self.queues.values().find(|queue| queue.id == id)
    }
}

/// The counters of a queue, to be changed.
pub(crate) type Counters = QueueCounters;

pub(crate) fn named<'a>(
    queues: &'a mut BTreeMap<Name, Queue>,
    name: &Name,
) -> Result<&'a mut Queue, Refusal> {
    queues.get_mut(name).ok_or_else(|| Refusal::QueueNotFound(name.clone()))
}
