//! What a publish must do: tell repeats apart, ask every queue for room, then place.

use std::{sync::Arc, time::Duration};

use broker_core::{
    command::{NewMessage, Publish, When},
    identity::{Name, QueueId, Sequence},
    reply::{Published, Refusal, Reply},
    settings::OnFull,
};
use units::Timestamp;

use super::{
    Message, Model, named,
    queue::{Copy, Queue},
    remembered::Remembered,
    topic::{Kept, passes},
};

/// What becomes of a new message in a queue.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Waits,
    Dies,
    Missed,
    Unwanted,
}

/// What deduplication says of each message: new, or how many queues took it before.
enum Verdict {
    New,
    Known(u32),
    /// Stands in the batch before, at that place.
    Repeats(usize),
}

impl Model {
    pub(super) fn publish_to_queue(
        &mut self,
        name: &Name,
        publish: &Publish,
        now: Timestamp,
    ) -> Result<Reply, Refusal> {
        let queue = named(&mut self.queues, name)?;
        let window = queue.settings.deduplication_window;
        let verdicts = judge(&queue.remembered, window, &publish.messages, |_| true, now)?;
        let new = || publish.messages.iter().zip(&verdicts).filter(|(_, it)| matches!(it, Verdict::New));
        let (messages, bytes) =
            new().fold((0, 0), |(count, bytes), (it, _)| (count + 1, bytes + u64::from(it.size)));
        queue.ask_for_room(messages, bytes).inspect_err(|_| queue.counters.rejected += messages)?;
        queue.make_room(messages, bytes, now);
        let mut results: Vec<Published> = Vec::new();
        for (message, verdict) in publish.messages.iter().zip(&verdicts) {
            let Some(result) = repeated(verdict, &results) else {
                let stored = store(&mut self.next.next_sequence, message, now);
                queue.place(&stored, message, Fate::Waits, now);
                let (max, remembered) = (queue.settings.max_deduplication_ids, &mut queue.remembered);
                remember(remembered, window, max, message, 1, now);
                results.push(Published { duplicate: false, queues: 1 });
                continue;
            };
            queue.counters.duplicates += 1;
            results.push(result);
        }
        Ok(Reply::Published(results))
    }

    pub(super) fn publish_to_topic(
        &mut self,
        name: &Name,
        publish: &Publish,
        now: Timestamp,
    ) -> Result<Reply, Refusal> {
        let topic = self.topics.get(name).ok_or_else(|| Refusal::TopicNotFound(name.clone()))?;
        let window = topic.settings.deduplication_window;
        let wanted = |message: &NewMessage| {
            let mut subscriptions = topic.subscriptions.values();
            subscriptions.any(|it| passes(it.filter.as_ref(), kind_of(message)))
        };
        let verdicts = judge(&topic.remembered, window, &publish.messages, wanted, now)?;
        let fates = self.fates(name, &publish.messages, &verdicts)?;
        let news =
            publish.messages.iter().zip(&verdicts).filter(|(_, it)| matches!(it, Verdict::New)).count();
        let waits = |index: usize| fates.iter().any(|(_, fates)| matches!(fates[index], Fate::Waits));
        let stray = (0..news).find(|index| !waits(*index));
        if let Some(stray) = stray.filter(|_| publish.require_route) {
            let mut places = verdicts.iter().enumerate().filter(|(_, it)| matches!(it, Verdict::New));
            let (index, _) = places.nth(stray).expect("it is one of the new messages");
            return Err(Refusal::NoRoute { index });
        }
        self.let_give_way(&fates, publish, &verdicts, now);
        let mut results: Vec<Published> = Vec::new();
        let mut index = 0;
        for (message, verdict) in publish.messages.iter().zip(&verdicts) {
            let result = repeated(verdict, &results).unwrap_or_else(|| {
                let queues = self.place_everywhere(name, &fates, index, message, now);
                index += 1;
                Published { duplicate: false, queues }
            });
            results.push(result);
        }
        let topic = self.topics.get_mut(name).expect("it was just looked at");
        for (queue, fates) in &fates {
            let missed = |fate: &&Fate| matches!(fate, Fate::Missed | Fate::Dies);
            let subscription = topic.subscriptions.get_mut(queue).expect("its fates were told");
            subscription.dropped += fates.iter().filter(missed).count() as u64;
        }
        Ok(Reply::Published(results))
    }

    /// What becomes of each new message in each subscribed queue.
    fn fates(
        &mut self,
        name: &Name,
        messages: &[NewMessage],
        verdicts: &[Verdict],
    ) -> Result<Vec<(QueueId, Vec<Fate>)>, Refusal> {
        let mut all = Vec::new();
        for (id, subscription) in &self.topics[name].subscriptions {
            let queue =
                self.queues.values_mut().find(|queue| queue.id == *id).expect("a subscriber is there");
            let new = || messages.iter().zip(verdicts).filter(|(_, it)| matches!(it, Verdict::New));
            let wanted = |message: &NewMessage| passes(subscription.filter.as_ref(), kind_of(message));
            let demand = new().filter(|(message, _)| wanted(message));
            let (count, bytes) = demand
                .fold((0, 0), |(count, bytes), (message, _)| (count + 1, bytes + u64::from(message.size)));
            let whole = queue.ask_for_room(count, bytes);
            if let (Err(refusal), OnFull::Reject) = (&whole, subscription.on_full) {
                queue.counters.rejected += count;
                return Err(refusal.clone());
            }
            let sizes: Vec<u64> =
                new().filter(|(it, _)| wanted(it)).map(|(it, _)| u64::from(it.size)).collect();
            let mut fit =
                if whole.is_ok() { vec![true; sizes.len()] } else { queue.fitting(&sizes) }.into_iter();
            let fates = new().map(|(message, _)| match wanted(message).then(|| fit.next()).flatten() {
                None => Fate::Unwanted,
                Some(true) => Fate::Waits,
                Some(false) if subscription.on_full == OnFull::DeadLetter => Fate::Dies,
                Some(false) => Fate::Missed,
            });
            all.push((*id, fates.collect()));
        }
        Ok(all)
    }

    fn let_give_way(
        &mut self,
        fates: &[(QueueId, Vec<Fate>)],
        publish: &Publish,
        verdicts: &[Verdict],
        now: Timestamp,
    ) {
        let new = || publish.messages.iter().zip(verdicts).filter(|(_, it)| matches!(it, Verdict::New));
        for (id, fates) in fates {
            let takes = new().zip(fates).filter(|(_, fate)| **fate == Fate::Waits);
            let (count, bytes) =
                takes.fold((0, 0), |(count, bytes), ((it, _), _)| (count + 1, bytes + u64::from(it.size)));
            self.subscriber(*id).make_room(count, bytes, now);
        }
    }

    /// Places one new message; tells in how many queues it waits.
    fn place_everywhere(
        &mut self,
        name: &Name,
        fates: &[(QueueId, Vec<Fate>)],
        index: usize,
        message: &NewMessage,
        now: Timestamp,
    ) -> u32 {
        let retains = !self.topics[name].settings.retention.is_zero();
        let kept = |fate: Fate| matches!(fate, Fate::Waits | Fate::Dies);
        let reached = fates.iter().any(|(_, fates)| kept(fates[index]));
        if !retains && !reached {
            return 0;
        }
        let stored = store(&mut self.next.next_sequence, message, now);
        let mut waits = 0;
        for (id, fates) in fates.iter().filter(|(_, fates)| kept(fates[index])) {
            self.subscriber(*id).place(&stored, message, fates[index], now);
            waits += u32::from(fates[index] == Fate::Waits);
        }
        let topic = self.topics.get_mut(name).expect("it was just looked at");
        if retains {
            let (due, ends) = times(message, now, Duration::ZERO, None);
            topic.retained.push(Kept { message: stored, due, ends });
        }
        if reached {
            let settings = &topic.settings;
            let (window, max) = (settings.deduplication_window, settings.max_deduplication_ids);
            remember(&mut topic.remembered, window, max, message, waits, now);
        }
        waits
    }

    fn subscriber(&mut self, id: QueueId) -> &mut Queue {
        self.queues.values_mut().find(|queue| queue.id == id).expect("a subscriber is there")
    }
}

impl Queue {
    fn place(&mut self, stored: &Arc<Message>, message: &NewMessage, fate: Fate, now: Timestamp) {
        let (available_at, expires_at) = times(message, now, self.settings.delay, self.settings.ttl);
        let copy = Copy::new(Arc::clone(stored), available_at, expires_at, now);
        let position = copy.position();
        self.insert(copy);
        self.counters.published += 1;
        if fate == Fate::Dies {
            let place = self.copies.iter().position(|copy| copy.position() == position);
            self.die_waiting(place.expect("it was just put there"), "queue was full", now);
        }
    }
}

/// When a message can first be received, and when it expires.
fn times(
    message: &NewMessage,
    now: Timestamp,
    delay: Duration,
    ttl: Option<Duration>,
) -> (Timestamp, Option<Timestamp>) {
    let available_at = match message.available {
        None => now.plus(delay),
        Some(When::After(delay)) => now.plus(delay),
        Some(When::At(at)) => at.max(now),
    };
    let longest = ttl.map_or(Timestamp::MAX, |ttl| available_at.plus(ttl));
    let expires_at = match message.expires {
        None => longest,
        Some(When::After(ttl)) => available_at.plus(ttl).min(longest),
        Some(When::At(at)) => at.min(longest),
    };
    (available_at, (expires_at < Timestamp::MAX).then_some(expires_at))
}

fn judge(
    remembered: &Remembered,
    window: Duration,
    messages: &[NewMessage],
    wanted: impl Fn(&NewMessage) -> bool,
    now: Timestamp,
) -> Result<Vec<Verdict>, Refusal> {
    let judge_one = |(index, message): (usize, &NewMessage)| {
        if window.is_zero() || !message.deduplicate {
            return Ok(Verdict::New);
        }
        let reused = || Err(Refusal::IdReused { index });
        if let Some((fingerprint, queues)) = remembered.recall(message.identity.whole, window, now) {
            return if fingerprint == message.fingerprint { Ok(Verdict::Known(queues)) } else { reused() };
        }
        let same_id = |it: &NewMessage| it.deduplicate && it.identity == message.identity && wanted(it);
        match messages[..index].iter().position(same_id) {
            None => Ok(Verdict::New),
            Some(first) if messages[first].fingerprint == message.fingerprint => Ok(Verdict::Repeats(first)),
            Some(_) => reused(),
        }
    };
    messages.iter().enumerate().map(judge_one).collect()
}

fn repeated(verdict: &Verdict, results: &[Published]) -> Option<Published> {
    match verdict {
        Verdict::New => None,
        Verdict::Known(queues) => Some(Published { duplicate: true, queues: *queues }),
        Verdict::Repeats(first) => Some(Published { duplicate: true, queues: results[*first].queues }),
    }
}

fn store(next_sequence: &mut u64, message: &NewMessage, now: Timestamp) -> Arc<Message> {
    let sequence = Sequence(*next_sequence);
    *next_sequence += 1;
    Arc::new(Message {
        sequence,
        identity: message.identity,
        key: message.key.clone(),
        size: message.size,
        published_at: now,
        kind: Arc::from(kind_of(message)),
        body: message.record.clone(),
    })
}

fn remember(
    remembered: &mut Remembered,
    window: Duration,
    max: u64,
    message: &NewMessage,
    queues: u32,
    now: Timestamp,
) {
    if message.deduplicate && !window.is_zero() {
        remembered.add(message.identity.whole, message.fingerprint, queues, now, max);
    }
}

fn kind_of(message: &NewMessage) -> &str {
    message.attributes.get("type").unwrap_or_default()
}
