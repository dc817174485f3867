//! Publishing: what was published before is told apart first, then every queue is asked whether the rest
//! fits, and only then is anything changed.

use std::time::Duration;

use units::Timestamp;

use crate::{
    change::{Activity, ActivityKind, Change, MessageRecord, Placement, RememberedId},
    command::{Destination, NewMessage, Publish, When},
    core::{Core, RETRY_WHEN_FULL, Step},
    dead_letter::Failure,
    deduplication::{Deduplication, Remembered, Window},
    identity::{Identity, QueueId, Sequence, TopicId},
    message::{LaneKey, Message, State},
    number_map::NumberMap,
    queue::{Demand, NoRoom, Queue},
    reply::{Published, Refusal, Reply},
    settings::OnFull,
    topic::Subscription,
};

/// Where a publish goes, by number.
#[derive(Clone, Copy)]
enum Target {
    Queue(QueueId),
    Topic(TopicId),
}

impl Target {
    fn number(self) -> u32 {
        match self {
            Self::Queue(id) => id.0,
            Self::Topic(id) => id.0,
        }
    }

    fn topic(self) -> Option<TopicId> {
        match self {
            Self::Queue(_) => None,
            Self::Topic(id) => Some(id),
        }
    }
}

/// What deduplication says of a message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    New,
    /// It was published before, and so many queues took it.
    Duplicate(u32),
    /// It stands in the same batch before, at that place.
    Repeated(usize),
}

/// What one queue does with the new messages.
struct Share {
    queue: QueueId,
    on_full: OnFull,
    /// Which of the new messages, counted alone, its filter passes over.
    unwanted: Vec<usize>,
    /// Which of the new messages, counted alone, it can't take; they miss it by `on_full`.
    missed: Vec<usize>,
    /// What it takes.
    demand: Demand,
}

impl Share {
    /// What becomes of the `index`-th new message here.
    fn fate(&self, index: usize) -> Fate {
        match self.on_full {
            _ if self.unwanted.binary_search(&index).is_ok() => Fate::Unwanted,
            _ if self.missed.binary_search(&index).is_err() => Fate::Waits,
            OnFull::DeadLetter => Fate::Dies,
            OnFull::Drop | OnFull::Reject => Fate::Dropped,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Waits,
    Dies,
    Dropped,
    Unwanted,
}

impl Fate {
    /// Whether the queue keeps the message, if only as a dead letter.
    const fn is_kept(self) -> bool {
        matches!(self, Self::Waits | Self::Dies)
    }
}

impl Core {
    pub(super) fn publish(&mut self, publish: Publish, step: &mut Step<'_>) -> Result<Reply, Refusal> {
        let target = self.target(&publish.destination)?;
        let asked = publish.messages.len() as u64;
        let published = self.publish_to(target, publish, step);
        if let Target::Topic(id) = target {
            let topic = self.topics.get_mut(&id).expect("the target was found");
            topic.counters.count(asked, &published);
        }
        published.map(Reply::Published)
    }

    fn publish_to(
        &mut self,
        target: Target,
        publish: Publish,
        step: &mut Step<'_>,
    ) -> Result<Vec<Published>, Refusal> {
        let verdicts = self.judge(target, &publish.messages, step.now)?;
        let messages = publish.messages;
        let new = || {
            messages.iter().zip(&verdicts).filter(|(_, verdict)| **verdict == Verdict::New).map(|(it, _)| it)
        };
        let shares = self.plan(target, &new, step)?;
        if publish.require_route && !all_have_a_route(&shares, new().count()) {
            return Err(Refusal::NoRoute);
        }
        self.make_room(&shares, step);
        let results = self.place_all(target, messages, &verdicts, &shares, step);
        self.count_duplicates(target, &results);
        self.count_missed(target, &shares, step);
        self.finish_publish(target, &shares, step);
        Ok(results)
    }

    fn target(&self, destination: &Destination) -> Result<Target, Refusal> {
        match destination {
            Destination::Queue(name) => self.queue_id(name).map(Target::Queue),
            Destination::Topic(name) => self.topic_id(name).map(Target::Topic),
        }
    }

    fn remembered(&self, target: Target) -> (&Deduplication, Window) {
        match target {
            Target::Queue(id) => (&self.queues[&id].remembered, self.queues[&id].window()),
            Target::Topic(id) => (&self.topics[&id].remembered, self.topics[&id].window()),
        }
    }

    /// Tells what was published before, or stands in the batch twice.
    fn judge(
        &self,
        target: Target,
        messages: &[NewMessage],
        now: Timestamp,
    ) -> Result<Vec<Verdict>, Refusal> {
        let (remembered, window) = self.remembered(target);
        if window.length.is_zero() {
            return Ok(vec![Verdict::New; messages.len()]);
        }
        let mut first_places = NumberMap::<u128, usize>::default();
        let mut judge_one = |index: usize, message: &NewMessage| {
            if !message.deduplicate {
                return Ok(Verdict::New);
            }
            if let Some(before) = remembered.recall(message.identity.whole, window, now) {
                let same = before.fingerprint == message.fingerprint;
                return if same {
                    Ok(Verdict::Duplicate(before.queues))
                } else {
                    Err(Refusal::IdReused { index })
                };
            }
            if messages.len() == 1 {
                return Ok(Verdict::New);
            }
            let first = *first_places.entry(message.identity.whole).or_insert(index);
            match messages[first].fingerprint == message.fingerprint {
                true if first == index => Ok(Verdict::New),
                true => Ok(Verdict::Repeated(first)),
                false => Err(Refusal::IdReused { index }),
            }
        };
        messages.iter().enumerate().map(|(index, message)| judge_one(index, message)).collect()
    }

    /// Asks every queue; a refusal is counted where it was refused.
    fn plan<'a, I: Iterator<Item = &'a NewMessage>>(
        &mut self,
        target: Target,
        new: &impl Fn() -> I,
        step: &mut Step<'_>,
    ) -> Result<Vec<Share>, Refusal> {
        let mut shares = Vec::new();
        for (queue, on_full, unwanted) in self.subscribers(target, new) {
            let wanted = || new().enumerate().filter(|(index, _)| unwanted.binary_search(index).is_err());
            let demand = wanted().fold(Demand::default(), |demand, (_, message)| demand.and(message.size));
            let (missed, demand) = match (self.queues[&queue].room_for(demand), on_full) {
                (Ok(()), _) => (Vec::new(), demand),
                (Err(no_room), OnFull::Reject) => {
                    return Err(self.reject(queue, demand.messages, no_room, step));
                }
                (Err(_), _) => self.queues[&queue].take_in_part(wanted()),
            };
            shares.push(Share { queue, on_full, unwanted, missed, demand });
        }
        Ok(shares)
    }

    /// The queues that a publish goes to, each with which of the new messages its filter passes over.
    fn subscribers<'a, I: Iterator<Item = &'a NewMessage>>(
        &self,
        target: Target,
        new: &impl Fn() -> I,
    ) -> Vec<(QueueId, OnFull, Vec<usize>)> {
        let topic = match target {
            Target::Queue(id) => return vec![(id, OnFull::Reject, Vec::new())],
            Target::Topic(id) => &self.topics[&id],
        };
        let subscriber = |(queue, subscription): (&QueueId, &Subscription)| {
            let unwanted = subscription.filter.as_ref().map_or_else(Vec::new, |filter| {
                let passed_over = new().enumerate().filter(|(_, it)| !filter.matches(&it.attributes));
                passed_over.map(|(index, _)| index).collect()
            });
            (*queue, subscription.on_full, unwanted)
        };
        topic.subscriptions.iter().map(subscriber).collect()
    }

    pub(super) fn reject(
        &mut self,
        queue: QueueId,
        messages: u64,
        no_room: NoRoom,
        step: &mut Step<'_>,
    ) -> Refusal {
        self.with_queue(queue, step, |queue, _| {
            queue.count(|counters| counters.rejected += messages);
            let name = queue.name.clone();
            match no_room {
                NoRoom::Full => Refusal::QueueFull { queue: name, retry_after: RETRY_WHEN_FULL },
                NoRoom::Never(limit) => Refusal::NeverFits { queue: name, limit },
            }
        })
    }

    fn make_room(&mut self, shares: &[Share], step: &mut Step<'_>) {
        for share in shares {
            self.with_queue(share.queue, step, |queue, turn| queue.make_room(share.demand, turn));
        }
    }

    fn place_all(
        &mut self,
        target: Target,
        messages: Vec<NewMessage>,
        verdicts: &[Verdict],
        shares: &[Share],
        step: &mut Step<'_>,
    ) -> Vec<Published> {
        let mut results: Vec<Published> = Vec::with_capacity(messages.len());
        let mut index = 0;
        for (message, verdict) in messages.into_iter().zip(verdicts) {
            let result = match *verdict {
                Verdict::Duplicate(queues) => Published { duplicate: true, queues },
                Verdict::Repeated(first) => Published { duplicate: true, queues: results[first].queues },
                Verdict::New => {
                    let queues = self.place(target, message, index, shares, step);
                    index += 1;
                    Published { duplicate: false, queues }
                }
            };
            results.push(result);
        }
        results
    }

    /// Stores one message and its copies. Returns in how many queues it waits.
    fn place(
        &mut self,
        target: Target,
        message: NewMessage,
        index: usize,
        shares: &[Share],
        step: &mut Step<'_>,
    ) -> u32 {
        let taken =
            || shares.iter().map(|share| (share, share.fate(index))).filter(|(_, fate)| fate.is_kept());
        let placement = |share: &Share| self.queues[&share.queue].placement(&message, step.now);
        let mut placements: Vec<Placement> = taken().map(|(share, _)| placement(share)).collect();
        placements.extend(self.shelf_of(target).map(|shelf| message.placement(shelf, step.now, None, None)));
        if placements.is_empty() {
            return 0;
        }
        let sequence = Sequence(self.high_water.next_sequence);
        self.high_water.next_sequence += 1;
        let NewMessage { identity, key, size, record, .. } = message;
        let stored = MessageRecord { sequence, identity, key, size, published_at: step.now, placements };
        self.store(target, stored, record, step);
        let waits = taken().filter(|(_, fate)| *fate == Fate::Waits).count() as u32;
        for (share, fate) in taken() {
            self.settle_copy(sequence, share.queue, fate, step);
        }
        if let Target::Topic(id) = target {
            self.retain(id, sequence);
        }
        if message.deduplicate {
            let what = Remembered { fingerprint: message.fingerprint, at: step.now, queues: waits };
            self.remember(target, identity, what, step);
        }
        waits
    }

    /// Where a topic keeps what is published now for replay; `None` where it keeps nothing.
    fn shelf_of(&self, target: Target) -> Option<QueueId> {
        let Target::Topic(id) = target else { return None };
        let topic = &self.topics[&id];
        topic.retains().then(|| topic.shelf())
    }

    fn retain(&mut self, topic: TopicId, sequence: Sequence) {
        let topic = self.topics.get_mut(&topic).expect("the target was found");
        if topic.retains() {
            topic.retain(sequence, &self.messages);
        }
    }

    /// Stores a message with a copy for each of its placements.
    fn store(&mut self, target: Target, record: MessageRecord, body: bytes::Bytes, step: &mut Step<'_>) {
        let identity = record.identity;
        self.add_message(&record);
        step.effects.activities.push(Activity {
            at: step.now,
            what: ActivityKind::Published,
            queue: None,
            topic: target.topic(),
            sequence: Some(record.sequence),
            identity: Some(identity),
            consumer: None,
            reason: None,
        });
        step.effects.changes.push(Change::MessagePut(record, body));
    }

    /// Takes a message up in the index, with a copy for each placement in a queue or topic that is there.
    pub(crate) fn add_message(&mut self, record: &MessageRecord) {
        let MessageRecord { sequence, identity, size, published_at, .. } = *record;
        let lane = record.key.as_deref().map(LaneKey::of);
        let slot = self.messages.insert(Message::new(sequence, identity, lane, size, published_at));
        for place in &record.placements {
            let is_retained = self.topics.contains_key(&TopicId(place.queue.0));
            if !is_retained && !self.queues.contains_key(&place.queue) {
                continue;
            }
            let copy = self.messages.add_copy(slot, place.queue, place.available_at, place.expires_at);
            if is_retained {
                self.messages.copy_mut(copy).state = State::Retained;
            }
        }
    }

    fn settle_copy(&mut self, sequence: Sequence, queue: QueueId, fate: Fate, step: &mut Step<'_>) {
        self.lend_queue(queue, step, |queue, turn| {
            let slot = turn.messages.copy_in(sequence, queue.id);
            queue.count(|counters| counters.published += 1);
            turn.note_plainly(ActivityKind::Copied, slot);
            if fate == Fate::Dies {
                queue.count_in(slot, turn.messages);
                queue.die(slot, Failure::without_delivery("queue was full"), turn);
            } else {
                queue.admit(slot, turn);
            }
        });
    }

    fn remember(&mut self, target: Target, identity: Identity, what: Remembered, step: &mut Step<'_>) {
        let on = match target {
            Target::Queue(id) => {
                let queue = self.queues.get_mut(&id).expect("the target was found");
                queue.remembered.remember(identity.whole, what, queue.window())
            }
            Target::Topic(id) => {
                let topic = self.topics.get_mut(&id).expect("the target was found");
                topic.remembered.remember(identity.whole, what, topic.window())
            }
        };
        if on {
            step.effects.changes.push(Change::IdRemembered(RememberedId {
                destination: target.number(),
                whole: identity.whole,
                fingerprint: what.fingerprint,
                queues: what.queues,
                at: what.at,
            }));
        }
    }

    fn count_duplicates(&mut self, target: Target, results: &[Published]) {
        let duplicates = results.iter().filter(|result| result.duplicate).count() as u64;
        if let Target::Queue(id) = target
            && duplicates > 0
            && let Some(queue) = self.queues.get_mut(&id)
        {
            queue.count(|counters| counters.duplicates += duplicates);
        }
    }

    /// Counts what single subscribers missed.
    fn count_missed(&mut self, target: Target, shares: &[Share], step: &mut Step<'_>) {
        let Target::Topic(id) = target else { return };
        let topic = self.topics.get_mut(&id).expect("the target was found");
        for share in shares.iter().filter(|share| !share.missed.is_empty()) {
            if let Some(subscription) = topic.subscriptions.get_mut(&share.queue) {
                subscription.dropped += share.missed.len() as u64;
            }
            let record = topic.subscription_record(share.queue);
            step.effects.changes.extend(record.map(Change::SubscriptionPut));
        }
    }

    fn finish_publish(&mut self, target: Target, shares: &[Share], step: &mut Step<'_>) {
        for share in shares {
            self.close_step(share.queue, step);
        }
        if let Target::Topic(id) = target {
            self.close_topic(id);
        }
    }
}

/// Whether each new message waits in some queue: one that is full and would make it a dead letter misses it.
fn all_have_a_route(shares: &[Share], new: usize) -> bool {
    (0..new).all(|index| shares.iter().any(|share| share.fate(index) == Fate::Waits))
}

impl Queue {
    /// Takes what fits, one after the other; the rest is missed.
    fn take_in_part<'a>(
        &self,
        wanted: impl Iterator<Item = (usize, &'a NewMessage)>,
    ) -> (Vec<usize>, Demand) {
        let (mut missed, mut demand) = (Vec::new(), Demand::default());
        for (index, message) in wanted {
            let more = demand.and(message.size);
            match self.room_for(more) {
                Ok(()) => demand = more,
                Err(_) => missed.push(index),
            }
        }
        (missed, demand)
    }

    fn placement(&self, message: &NewMessage, now: Timestamp) -> Placement {
        message.placement(self.id, now, Some(self.settings.delay), self.settings.ttl)
    }
}

impl NewMessage {
    /// When it can first be received there, and when it expires; with the queue's delay and TTL where it
    /// has none of its own.
    fn placement(
        &self,
        queue: QueueId,
        now: Timestamp,
        delay: Option<Duration>,
        ttl: Option<Duration>,
    ) -> Placement {
        let available_at = match self.available {
            None => now.plus(delay.unwrap_or_default()),
            Some(When::After(delay)) => now.plus(delay),
            Some(When::At(at)) => at.max(now),
        };
        let expires_at = match self.expires {
            None => ttl.map(|ttl| available_at.plus(ttl)),
            Some(When::After(ttl)) => Some(available_at.plus(ttl)),
            Some(When::At(at)) => Some(at),
        };
        Placement { queue, available_at, expires_at }
    }
}
