//! Deduplication: what was published before is told apart from what is new, and what is new is remembered.

use units::Timestamp;

use super::Target;
use crate::{
    change::{Change, RememberedId},
    command::NewMessage,
    core::{Core, Step},
    deduplication::{Deduplication, Remembered, Window},
    identity::Identity,
    number_map::NumberMap,
    reply::Refusal,
};

/// What deduplication says of a message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    New,
    /// It was published before, and so many queues took it.
    Duplicate(u32),
    /// It stands in the same batch before, at that place.
    Repeated(usize),
}

impl Core {
    /// Tells what was published before, or stands in the batch twice.
    pub(super) fn judge(
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
            let first = first_places.entry(message.identity.whole).or_insert(index);
            if *first != index && !self.is_wanted(target, &messages[*first]) {
                *first = index;
            }
            match messages[*first].fingerprint == message.fingerprint {
                true if *first == index => Ok(Verdict::New),
                true => Ok(Verdict::Repeated(*first)),
                false => Err(Refusal::IdReused { index }),
            }
        };
        messages.iter().enumerate().map(|(index, message)| judge_one(index, message)).collect()
    }

    /// Whether any queue wants it; what none does is not remembered. One that is full counts here: whether it
    /// takes it is found later.
    fn is_wanted(&self, target: Target, message: &NewMessage) -> bool {
        let Target::Topic(id) = target else { return true };
        let mut filters = self.topics[&id].subscriptions.values().map(|it| it.filter.as_ref());
        filters.any(|filter| filter.is_none_or(|filter| filter.matches(&message.attributes)))
    }

    pub(super) fn remember(
        &mut self,
        target: Target,
        identity: Identity,
        what: Remembered,
        step: &mut Step<'_>,
    ) {
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

    fn remembered(&self, target: Target) -> (&Deduplication, Window) {
        match target {
            Target::Queue(id) => (&self.queues[&id].remembered, self.queues[&id].window()),
            Target::Topic(id) => (&self.topics[&id].remembered, self.topics[&id].window()),
        }
    }
}
