//! One topic of the model: subscriptions, what it retains, and the ids that were published to it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use broker_core::{
    command::{Span, SubscriptionPatch},
    filter::Filter,
    identity::{Name, QueueId, TopicId},
    reply::{Refusal, Reply},
    settings::{OnFull, Overflow, Start, TopicSettings, TopicSettingsPatch},
};
use units::Timestamp;

use super::{
    Message, Model, named,
    queue::{Copy, Queue, shorter, waits},
    remembered::Remembered,
    settings,
};

/// A queue's link to a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Subscription {
    pub on_full: OnFull,
    pub filter: Option<Filter>,
    pub start: Start,
    pub dropped: u64,
}

/// A topic.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Topic {
    pub id: TopicId,
    pub settings: TopicSettings,
    pub subscriptions: BTreeMap<QueueId, Subscription>,
    /// Oldest first.
    pub retained: Vec<Kept>,
    pub(super) remembered: Remembered,
}

/// A message that a topic keeps for replay.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Which.
    pub message: Arc<Message>,
    /// When it is due by its own delay.
    pub due: Timestamp,
    /// When its own TTL ends.
    pub ends: Option<Timestamp>,
}

impl Topic {
    fn of_time(&self, span: Span) -> impl Iterator<Item = &Kept> {
        let from = span.from.unwrap_or_default();
        let to = span.to.unwrap_or(Timestamp::MAX);
        self.retained.iter().filter(move |it| (from..=to).contains(&it.message.published_at))
    }

    fn retained_bytes(&self) -> u64 {
        self.retained.iter().map(|it| u64::from(it.message.size)).sum()
    }

    pub(super) fn catch_up(&mut self, now: Timestamp) {
        while let Some(oldest) = self.retained.first() {
            let old = oldest.message.published_at.plus(self.settings.retention) <= now;
            if !old && self.retained_bytes() <= self.settings.retention_bytes.get() {
                break;
            }
            self.retained.remove(0);
        }
    }
}

/// Whether a message of that type passes; of the few forms of filters that the simulated clients use.
pub(super) fn passes(filter: Option<&Filter>, kind: &str) -> bool {
    match filter {
        None => true,
        Some(Filter::Exact(terms)) => terms.iter().all(|(_, wanted)| **wanted == *kind),
        Some(Filter::Prefix(terms)) => terms.iter().all(|(_, wanted)| kind.starts_with(&**wanted)),
        Some(Filter::Not(inner)) => !passes(Some(inner), kind),
        Some(other) => unreachable!("no simulated client uses {other:?}"),
    }
}

impl Model {
    pub(super) fn put_topic(
        &mut self,
        name: &Name,
        patch: &TopicSettingsPatch,
        only_create: bool,
    ) -> Result<Reply, Refusal> {
        if let Some(topic) = self.topics.get_mut(name) {
            if only_create {
                return Err(Refusal::AlreadyExists);
            }
            topic.settings = settings::topic(&topic.settings, patch);
            return Ok(Reply::Put { created: false });
        }
        let topic = Topic {
            id: TopicId(self.next_destination()),
            settings: settings::topic(&TopicSettings::default(), patch),
            subscriptions: BTreeMap::new(),
            retained: Vec::new(),
            remembered: Remembered::default(),
        };
        self.topics.insert(name.clone(), topic);
        Ok(Reply::Put { created: true })
    }

    fn topic(&self, name: &Name) -> Result<&Topic, Refusal> {
        self.topics.get(name).ok_or_else(|| Refusal::TopicNotFound(name.clone()))
    }

    pub(super) fn subscribe(
        &mut self,
        topic: &Name,
        queue: &Name,
        patch: &SubscriptionPatch,
        only_create: bool,
        now: Timestamp,
    ) -> Result<Reply, Refusal> {
        let subscriptions = &self.topic(topic)?.subscriptions;
        let there = self.queues.get(queue).ok_or_else(|| Refusal::QueueNotFound(queue.clone()))?;
        let before = subscriptions.get(&there.id).cloned();
        let id = there.id;
        let created = before.is_none();
        if !created && only_create {
            return Err(Refusal::AlreadyExists);
        }
        let mut after = before.unwrap_or_default();
        if !created && patch.start.is_some_and(|start| start != after.start) {
            return Err(Refusal::SettingConflict { setting: "from" });
        }
        after.on_full = patch.on_full.unwrap_or(after.on_full);
        after.filter = patch.filter.clone().unwrap_or(after.filter);
        after.start = patch.start.unwrap_or(after.start);
        let span = match after.start {
            Start::New => None,
            Start::Earliest => Some(Span::default()),
            Start::Since(from) => Some(Span { from: Some(from), to: None }),
        };
        if let Some(span) = span.filter(|_| created) {
            let missed = self.place_again(topic, queue, after.filter.as_ref(), span, after.on_full, now)?.1;
            after.dropped = missed;
        }
        let topic = self.topics.get_mut(topic).expect("it was just looked at");
        topic.subscriptions.insert(id, after);
        Ok(Reply::Put { created })
    }

    pub(super) fn unsubscribe(&mut self, topic: &Name, queue: &Name) -> Result<Reply, Refusal> {
        self.topic(topic)?;
        let id = named(&mut self.queues, queue)?.id;
        let subscriptions = &mut self.topics.get_mut(topic).expect("it was just looked at").subscriptions;
        match subscriptions.remove(&id) {
            Some(_) => Ok(Reply::Removed { count: 1 }),
            None => Err(Refusal::SubscriptionNotFound { topic: topic.clone(), queue: queue.clone() }),
        }
    }

    pub(super) fn replay(
        &mut self,
        topic: &Name,
        queue: &Name,
        span: Span,
        now: Timestamp,
    ) -> Result<Reply, Refusal> {
        self.topic(topic)?;
        let id = named(&mut self.queues, queue)?.id;
        let Some(subscription) = self.topic(topic)?.subscriptions.get(&id) else {
            return Err(Refusal::SubscriptionNotFound { topic: topic.clone(), queue: queue.clone() });
        };
        let filter = subscription.filter.clone();
        let (count, _) = self.place_again(topic, queue, filter.as_ref(), span, OnFull::Reject, now)?;
        Ok(Reply::Replayed { count })
    }

    /// Gives a queue copies of the retained messages that it holds none of; where it may miss none, all of them
    /// or none. How many came to wait in it, and how many it missed.
    fn place_again(
        &mut self,
        topic: &Name,
        name: &Name,
        filter: Option<&Filter>,
        span: Span,
        on_full: OnFull,
        now: Timestamp,
    ) -> Result<(u64, u64), Refusal> {
        let latest = self.latest_lease();
        let queue = named(&mut self.queues, name)?;
        let wanted = self.topics[topic].of_time(span);
        let wanted = wanted.filter(|it| {
            passes(filter, &it.message.kind)
                && !queue.holds(it.message.sequence)
                && it.ends.is_none_or(|ends| ends > now)
        });
        let missing: Vec<_> = wanted.cloned().collect();
        let fits = fitting(queue, &missing, on_full).inspect_err(|_| {
            queue.counters.rejected += missing.len() as u64;
        })?;
        let taken = || missing.iter().zip(&fits).filter(|(_, fits)| **fits).map(|(it, _)| it);
        let (placed, bytes) = (taken().count() as u64, taken().map(|it| u64::from(it.message.size)).sum());
        queue.make_room(placed, bytes, now);
        let missed = missing.len() as u64 - placed;
        for (Kept { message, due, ends }, fits) in missing.into_iter().zip(fits) {
            if !fits && on_full == OnFull::Drop {
                continue;
            }
            let available_at = due.max(now);
            let left = ends.map(|ends| ends.since(available_at));
            let ttl = shorter(left, queue.settings.ttl);
            let mut copy = Copy::new(message, due, ttl.map(|ttl| available_at.plus(ttl)), now);
            copy.state = waits(available_at, due, now);
            copy.ttl = ttl;
            copy.replayed = true;
            copy.ended = Some((latest, false));
            let position = copy.position();
            queue.insert(copy);
            queue.counters.replayed += 1;
            if !fits {
                let place = queue.copies.iter().position(|copy| copy.position() == position);
                queue.die_waiting(place.expect("it was just put there"), "queue was full", now);
            }
        }
        Ok((placed, missed))
    }
}

/// Which of these fit, one after the other.
fn fitting(queue: &Queue, messages: &[Kept], on_full: OnFull) -> Result<Vec<bool>, Refusal> {
    let size = |it: &Kept| u64::from(it.message.size);
    let whole = queue.ask_for_room(messages.len() as u64, messages.iter().map(size).sum());
    match (whole, on_full) {
        (Ok(()), _) => return Ok(vec![true; messages.len()]),
        (Err(refusal), OnFull::Reject) => return Err(refusal),
        (Err(_), _) => {}
    }
    Ok(queue.fitting(&messages.iter().map(size).collect::<Vec<_>>()))
}

impl Queue {
    /// Which of messages of these sizes fit, one after the other; from the newest on where the oldest give way.
    pub(super) fn fitting(&self, sizes: &[u64]) -> Vec<bool> {
        let newest_first = self.settings.overflow != Overflow::Reject;
        let mut order: Vec<usize> = (0..sizes.len()).collect();
        if newest_first {
            order.reverse();
        }
        let (mut count, mut bytes) = (0, 0);
        let mut fits = vec![false; sizes.len()];
        for index in order {
            let more = (count + 1, bytes + sizes[index]);
            fits[index] = self.ask_for_room(more.0, more.1).is_ok();
            if fits[index] {
                (count, bytes) = more;
            }
        }
        fits
    }

    /// Whether so much fits, the oldest giving way where the queue is set so.
    pub(super) fn ask_for_room(&self, messages: u64, bytes: u64) -> Result<(), Refusal> {
        let never = |limit| Refusal::NeverFits { queue: self.name.clone(), limit };
        if messages == 0 {
            return Ok(());
        }
        if messages > self.settings.max_messages {
            return Err(never("max_messages"));
        }
        if bytes > self.settings.max_bytes.get() {
            return Err(never("max_bytes"));
        }
        let gives_way = self.settings.overflow != Overflow::Reject;
        if self.has_room(messages, bytes, |copy| !gives_way || copy.is_leased()) {
            return Ok(());
        }
        Err(Refusal::QueueFull { queue: self.name.clone(), retry_after: Duration::from_secs(1) })
    }
}
