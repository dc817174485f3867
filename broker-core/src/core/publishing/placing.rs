//! Storing new messages, each once, with a copy in every queue that takes it.

use std::time::Duration;

use units::Timestamp;

use super::{
    Target,
    judging::Verdict,
    sharing::{Fate, Share},
};
use crate::{
    activity::{Activity, ActivityKind},
    change::{Change, MessageRecord, Placement},
    command::{NewMessage, When},
    core::{Core, Step},
    deduplication::Remembered,
    identity::{QueueId, Sequence, TopicId},
    message::{LaneKey, Message, State},
    queue::Queue,
    reply::Published,
};

impl Core {
    pub(super) fn place_all(
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
        let missed = shares.iter().filter(|share| share.fate(index) == Fate::Dropped);
        let missed = missed.map(|share| Activity::missed(step.now, share.queue, sequence, identity));
        step.effects.activities.extend(missed);
        if let Target::Topic(id) = target {
            self.retain(id, sequence);
        }
        // What only the topic keeps reached no queue: it is not remembered.
        if message.deduplicate && taken().next().is_some() {
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
            queue: target.queue(),
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
                queue.bury(slot, turn);
            } else {
                queue.admit(slot, turn);
            }
        });
    }
}

impl Queue {
    fn placement(&self, message: &NewMessage, now: Timestamp) -> Placement {
        message.placement(self.id, now, Some(self.settings.delay), self.settings.ttl)
    }
}

impl NewMessage {
    /// When it can first be received there, with the queue's delay where it has none of its own; and when it
    /// expires, by its own TTL or the queue's, whichever ends first.
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
        let own = self.expires.map(|expires| match expires {
            When::After(ttl) => available_at.plus(ttl),
            When::At(at) => at,
        });
        let of_queue = ttl.map(|ttl| available_at.plus(ttl));
        Placement { queue, available_at, expires_at: [own, of_queue].into_iter().flatten().min() }
    }
}
