//! The whole state machine behind one door: commands in, replies and changes out. Each command is carried
//! out in the files below; the looks are in `looking`.

mod clearing;
mod declaring;
mod looking;
mod pacing;
mod publishing;
mod receiving;
mod redriving;
mod replaying;

use std::{collections::BTreeMap, time::Duration};

use units::Timestamp;

use crate::{
    agenda::Agenda,
    backoff::Jitter,
    change::{Change, Effects, HighWater},
    command::Command,
    identity::{LeaseId, Name, QueueId, Receipt, RedriveId, Sequence, TopicId},
    message::Messages,
    number_map::NumberMap,
    queue::Queue,
    redrive::Redrive,
    reply::{Refusal, Reply, Settled},
    restore::Restore,
    settings::RedriveLimits,
    settings_check::check_lease,
    topic::Topic,
    turn::Turn,
};

pub use redriving::Rehearsal;

/// How many things one tick does at the most: a few milliseconds' work.
const TICK_BUDGET: usize = 2000;

/// What a publisher that found a queue full is told to wait.
const RETRY_WHEN_FULL: Duration = Duration::from_secs(1);

/// The broker's state. See the crate's documentation for the rules.
#[derive(Debug)]
pub struct Core {
    pub(crate) high_water: HighWater,
    pub(crate) messages: Messages,
    pub(crate) queues: NumberMap<QueueId, Queue>,
    pub(crate) topics: NumberMap<TopicId, Topic>,
    queue_names: BTreeMap<Name, QueueId>,
    topic_names: BTreeMap<Name, TopicId>,
    pub(crate) redrives: BTreeMap<RedriveId, Redrive>,
    agenda: Agenda,
    /// When each paced redrive goes on.
    paces: Agenda,
    jitter: Jitter,
    /// Copies whose queue was removed, and restored messages without a copy (of any queue's number); the
    /// next ticks clear them away.
    pub(crate) left_over: Vec<(Sequence, QueueId)>,
    /// How many queues and topics there may be.
    most_destinations: usize,
    redrive_limits: RedriveLimits,
    latest: Timestamp,
}

/// When a command or tick happens, and what it leaves to be done.
pub(crate) struct Step<'a> {
    pub(crate) now: Timestamp,
    pub(crate) effects: &'a mut Effects,
}

impl Core {
    /// An empty broker. The seed is for the backoff's jitter only.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            high_water: HighWater { next_sequence: 1, next_lease: 1, next_destination: 1 },
            messages: Messages::new(),
            queues: NumberMap::default(),
            topics: NumberMap::default(),
            queue_names: BTreeMap::new(),
            topic_names: BTreeMap::new(),
            redrives: BTreeMap::new(),
            agenda: Agenda::default(),
            paces: Agenda::default(),
            jitter: Jitter::new(seed),
            left_over: Vec::new(),
            most_destinations: usize::MAX,
            redrive_limits: RedriveLimits::default(),
            latest: Timestamp::default(),
        }
    }

    /// Starts to restore a core from what the store kept; see [`Restore`] for the order.
    #[must_use]
    pub fn restore(seed: u64, high_water: HighWater) -> Restore {
        Restore::new(seed, high_water)
    }

    /// Carries out one command. Call [`Self::tick`] with the same `now` before a group of commands;
    /// `now` never goes back.
    ///
    /// # Errors
    /// A [`Refusal`]; it changed nothing but the counter of refused messages, which the effects name.
    pub fn apply(
        &mut self,
        command: Command,
        now: Timestamp,
        effects: &mut Effects,
    ) -> Result<Reply, Refusal> {
        self.advance(now);
        let step = &mut Step { now, effects };
        match command {
            Command::PutQueue { name, settings, only_create } => {
                self.put_queue(name, settings, only_create, step)
            }
            Command::DeleteQueue { name, force } => self.delete_queue(&name, force, step),
            Command::PurgeQueue { name, before, limit } => self.purge_queue(&name, before, limit, step),
            Command::PutTopic { name, settings, only_create } => {
                self.put_topic(name, &settings, only_create, step)
            }
            Command::DeleteTopic { name } => self.delete_topic(&name, step),
            Command::PutSubscription { topic, queue, settings, only_create, chosen } => {
                self.put_subscription(&topic, &queue, settings, only_create, chosen, step)
            }
            Command::DeleteSubscription { topic, queue } => self.delete_subscription(&topic, &queue, step),
            Command::Replay { topic, queue, span, chosen } => self.replay(&topic, &queue, span, chosen, step),
            Command::Publish(publish) => self.publish(publish, step),
            Command::Receive(receive) => self.receive(receive, step),
            Command::Ack { queue, receipts } => {
                self.settle(&queue, &receipts, step, |queue, turn| queue.ack(&receipts, turn))
            }
            Command::Nack(nack) => {
                self.settle(&nack.queue, &nack.receipts, step, |queue, turn| queue.nack(&nack, turn))
            }
            Command::Extend { queue, receipts, lease } => {
                check_lease(lease)?;
                self.settle(&queue, &receipts, step, |queue, turn| queue.extend(&receipts, lease, turn))
            }
            Command::RemoveMessage { queue, message } => self.remove_message(&queue, message, step),
            Command::Redrive { queue, which, to, limit } => {
                self.redrive(&queue, &which, to.as_ref(), limit, step)
            }
            Command::StartRedrive { queue, which, to, limit, per_second } => {
                self.start_redrive(&queue, &which, to.as_ref(), limit, per_second, step)
            }
            Command::StopRedrive { redrive } => self.stop_redrive(redrive, step),
            Command::DeadLetter { queue, sequences, reason } => self.kill(&queue, &sequences, &reason, step),
            Command::DiscardDeadLetters { queue, which } => self.discard_dead_letters(&queue, &which, step),
        }
    }

    /// Does what fell due by `now`, or a slice of it: then [`Self::next_deadline`] is not after `now`
    /// and it wants to be called again, after the commands that wait.
    pub fn tick(&mut self, now: Timestamp, effects: &mut Effects) {
        self.advance(now);
        let step = &mut Step { now, effects };
        let mut budget = TICK_BUDGET;
        self.clear_left_over(&mut budget, step);
        let due = |agenda: &Agenda| agenda.first().filter(|(at, _)| *at <= now).map(|(_, whose)| whose);
        while budget > 0 {
            // Redrives last: what queues let go of by now makes room, whichever was due first.
            if let Some(destination) = due(&self.agenda) {
                self.catch_up(destination, &mut budget, step);
            } else if let Some(redrive) = due(&self.paces) {
                self.go_on(RedriveId(redrive), &mut budget, step);
            } else {
                return;
            }
        }
    }

    /// When the next tick is wanted. It may be earlier than needed.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let left_over = (!self.left_over.is_empty()).then_some(self.latest);
        let firsts = [self.agenda.first(), self.paces.first()];
        left_over.or_else(|| firsts.into_iter().flatten().map(|(at, _)| at).min())
    }

    /// The numbers that come next; to be stored with every group.
    #[must_use]
    pub fn high_water(&self) -> HighWater {
        self.high_water
    }

    /// From now on no queue or topic is made where there are so many of both already. Those that are there
    /// stay.
    pub fn limit_destinations(&mut self, most: usize) {
        self.most_destinations = most;
    }

    /// From now on no paced redrive is started beyond these limits. Those that run go on.
    pub fn limit_redrives(&mut self, limits: RedriveLimits) {
        self.redrive_limits = limits;
    }

    fn advance(&mut self, now: Timestamp) {
        debug_assert!(now >= self.latest, "time went back from {} to {now}", self.latest);
        self.latest = now;
    }

    /// Settles deliveries, once each receipt turned out to be one that this queue has given, or one that is gone
    /// with all that it gave.
    fn settle(
        &mut self,
        queue: &Name,
        receipts: &[Receipt],
        step: &mut Step<'_>,
        how: impl FnOnce(&mut Queue, &mut Turn<'_>) -> Vec<Settled>,
    ) -> Result<Reply, Refusal> {
        let id = self.queue_id(queue)?;
        let HighWater { next_sequence, next_lease, next_destination } = self.high_water;
        let is_gone = |other: QueueId| {
            let is_there = self.queues.contains_key(&other) || self.topics.contains_key(&TopicId(other.0));
            other.0 < next_destination && !is_there
        };
        // That of a queue that is gone may be of a folder that was lost, which had gone on to higher numbers.
        let ours = |receipt: &Receipt| {
            let given = receipt.sequence < Sequence(next_sequence) && receipt.lease < LeaseId(next_lease);
            if receipt.queue == id { given } else { is_gone(receipt.queue) }
        };
        if let Some(index) = receipts.iter().position(|receipt| !ours(receipt)) {
            return Err(Refusal::ForeignReceipt { index });
        }
        Ok(Reply::Settled(self.with_queue(id, step, how)))
    }

    fn catch_up(&mut self, destination: u32, budget: &mut usize, step: &mut Step<'_>) {
        let id = QueueId(destination);
        if self.queues.contains_key(&id) {
            return self.with_queue(id, step, |queue, turn| queue.catch_up(budget, turn));
        }
        self.lend_topic(TopicId(destination), step, |topic, turn| topic.catch_up(budget, turn));
        self.close_topic(TopicId(destination));
    }

    fn clear_left_over(&mut self, budget: &mut usize, step: &mut Step<'_>) {
        while *budget > 0
            && let Some((sequence, queue)) = self.left_over.pop()
        {
            *budget -= 1;
            let change = match (self.messages.find_copy(sequence, queue), self.messages.find(sequence)) {
                (Some(copy), _) => self.messages.remove_copy(copy),
                (None, Some(message)) => self.messages.remove_message(message),
                (None, None) => continue,
            };
            // Where other copies remain, what is on record of this one stays until the message is gone.
            if matches!(change, Change::MessageGone { .. }) {
                step.effects.changes.push(change);
            }
        }
    }

    pub(crate) fn queue_id(&self, name: &Name) -> Result<QueueId, Refusal> {
        self.queue_names.get(name).copied().ok_or_else(|| Refusal::QueueNotFound(name.clone()))
    }

    pub(crate) fn topic_id(&self, name: &Name) -> Result<TopicId, Refusal> {
        self.topic_names.get(name).copied().ok_or_else(|| Refusal::TopicNotFound(name.clone()))
    }

    /// Lends a queue what it needs for a step, and closes the step.
    fn with_queue<R>(
        &mut self,
        id: QueueId,
        step: &mut Step<'_>,
        work: impl FnOnce(&mut Queue, &mut Turn<'_>) -> R,
    ) -> R {
        let result = self.lend_queue(id, step, work);
        self.close_step(id, step);
        result
    }

    /// Lends a queue what it needs for a part of a step; [`Self::close_step`] must follow in the end.
    pub(crate) fn lend_queue<R>(
        &mut self,
        id: QueueId,
        step: &mut Step<'_>,
        work: impl FnOnce(&mut Queue, &mut Turn<'_>) -> R,
    ) -> R {
        let queue = self.queues.get_mut(&id).expect("numbers of queues are looked up before they are used");
        let Step { now, effects } = step;
        let latest_lease = LeaseId(self.high_water.next_lease - 1);
        let (messages, jitter) = (&mut self.messages, &mut self.jitter);
        work(queue, &mut Turn { now: *now, messages, effects, jitter, latest_lease })
    }

    /// Lends a topic, where it is there, what it needs for a step; [`Self::close_topic`] must follow.
    pub(crate) fn lend_topic(
        &mut self,
        id: TopicId,
        step: &mut Step<'_>,
        work: impl FnOnce(&mut Topic, &mut Turn<'_>),
    ) {
        let Some(topic) = self.topics.get_mut(&id) else { return };
        let Step { now, effects } = step;
        let latest_lease = LeaseId(self.high_water.next_lease - 1);
        let (messages, jitter) = (&mut self.messages, &mut self.jitter);
        work(topic, &mut Turn { now: *now, messages, effects, jitter, latest_lease });
    }

    /// Sets when a topic wants to be looked at next.
    pub(crate) fn close_topic(&mut self, id: TopicId) {
        self.agenda.set(id.0, self.topics.get(&id).and_then(Topic::next_deadline));
    }

    /// Tells what a step did to a queue as a whole, and when the queue wants to be looked at next.
    pub(crate) fn close_step(&mut self, id: QueueId, step: &mut Step<'_>) {
        let queue = self.queues.get_mut(&id).expect("numbers of queues are looked up before they are used");
        if queue.take_counted() {
            step.effects.counted.push(id);
        }
        if queue.line.take_woken() {
            step.effects.woken.push(id);
        }
        self.agenda.set(id.0, queue.next_deadline());
    }

    /// Sets when each destination wants to be looked at, after a restore.
    pub(crate) fn open(&mut self, step: &mut Step<'_>) {
        self.latest = step.now;
        let mut ids: Vec<_> = self.queues.keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            self.close_step(id, step);
        }
        for (id, redrive) in &mut self.redrives {
            redrive.pace_from(step.now);
            self.paces.set(id.0, redrive.next_deadline());
        }
        for topic in self.topics.values() {
            self.agenda.set(topic.id.0, topic.next_deadline());
        }
    }
}
