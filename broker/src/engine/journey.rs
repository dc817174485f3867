//! What happened to messages lately: a bounded ring in memory, lost at a restart.

mod names;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use broker_core::{
    Core,
    activity::{Activity, ActivityKind},
    change::{Change, FailureRecord},
    identity::{Name, QueueId, Selector, Sequence},
    view::Whereabouts,
};
use units::Timestamp;

use self::names::{Gone, Names};

/// How many activities are remembered. At some 130 bytes each, about 8 MB when it is full.
const CAPACITY: usize = 65_536;
/// How many bytes their texts have at the most: reasons may be long.
const TEXT_BYTES: usize = 8 << 20;

/// What is known of a message's way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journey {
    /// The newest message of the id that is in sight.
    pub sequence: Sequence,
    /// What happened to it, oldest first, as far as memory reaches.
    pub steps: Vec<Step>,
    /// The queues that it is in now, dead letters too.
    pub places: Vec<(QueueId, Name)>,
    /// The topic that retains it.
    pub retained_by: Option<Name>,
    /// Whether memory reaches back to its publishing, and nothing is out of sight.
    pub complete: bool,
    /// How many other messages of that id are in sight.
    pub others: usize,
}

/// One thing that happened to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: ActivityKind,
    /// In which queue; `None` where it concerns none, or one that is gone for long.
    pub queue: Option<Name>,
    /// To which topic it was published; `None` also where that is gone for long.
    pub topic: Option<Name>,
    /// Who received it.
    pub consumer: Option<Arc<str>>,
    /// Why it failed.
    pub reason: Option<Arc<str>>,
}

/// What whoever asks may see: whether something that happened in that queue, or was published to that topic.
pub type Sight = dyn Fn(Option<&Name>, Option<&Name>) -> bool + Send;

impl Journey {
    /// What of it is in sight; `None` where nothing is.
    fn within(mut self, sight: &Sight) -> Option<Self> {
        let steps = self.steps.len();
        self.steps.retain(|step| sight(step.queue.as_ref(), step.topic.as_ref()));
        self.complete &= self.steps.len() == steps;
        self.places.retain(|(_, queue)| sight(Some(queue), None));
        self.retained_by.take_if(|topic| !sight(None, Some(topic)));
        let is_in_sight = !self.steps.is_empty() || !self.places.is_empty() || self.retained_by.is_some();
        is_in_sight.then_some(self)
    }
}

/// The ring.
#[derive(Debug, Default)]
pub(crate) struct Journeys {
    ring: VecDeque<Activity>,
    text_bytes: usize,
    names: Names,
}

impl Journeys {
    /// Those of a broker that begins.
    pub(crate) fn new(core: &Core) -> Self {
        Self { names: Names::of(core), ..Self::default() }
    }

    /// Remembers what a committed group did.
    pub(crate) fn remember(&mut self, changes: &[Change], activities: &mut Vec<Activity>, now: Timestamp) {
        changes.iter().for_each(|change| self.names.follow(change, now));
        let all_but_the_newest = activities.len().saturating_sub(CAPACITY);
        activities.drain(..all_but_the_newest);
        self.text_bytes += activities.iter().map(text_bytes).sum::<usize>();
        self.ring.extend(activities.drain(..));
        while self.ring.len() > CAPACITY || self.text_bytes > TEXT_BYTES {
            let Some(oldest) = self.ring.pop_front() else { break };
            self.text_bytes -= text_bytes(&oldest);
        }
    }

    /// The journey of the newest message of an id that is in sight of whoever asks; `None` when there is none.
    pub(crate) fn of(&self, selector: Selector, core: &Core, sight: &Sight) -> Option<Journey> {
        let mut known: BTreeMap<Sequence, (Option<Whereabouts>, Vec<&Activity>)> = BTreeMap::new();
        for found in core.find_anywhere(selector) {
            known.insert(found.sequence, (Some(found), Vec::new()));
        }
        for activity in &self.ring {
            let is_meant = activity.identity.is_some_and(|identity| selector.matches(&identity));
            if let Some(sequence) = activity.sequence.filter(|_| is_meant) {
                known.entry(sequence).or_default().1.push(activity);
            }
        }
        let all = known.into_iter().map(|(sequence, (found, steps))| self.journey(sequence, found, &steps));
        let mut in_sight: Vec<Journey> = all.filter_map(|journey| journey.within(sight)).collect();
        let newest = in_sight.pop()?;
        Some(Journey { others: in_sight.len(), ..newest })
    }

    fn journey(&self, sequence: Sequence, found: Option<Whereabouts>, of_it: &[&Activity]) -> Journey {
        let (steps, topic) = (self.steps(of_it), found.as_ref().and_then(|found| found.topic));
        let queues = found.map_or_else(Vec::new, |found| found.queues);
        Journey {
            sequence,
            complete: steps.first().is_some_and(|step| step.what == ActivityKind::Published),
            steps,
            places: queues.into_iter().filter_map(|id| Some((id, self.queue_name(id)?))).collect(),
            retained_by: topic.and_then(|id| self.names.name(id.0).cloned()),
            others: 0,
        }
    }

    fn steps(&self, of_it: &[&Activity]) -> Vec<Step> {
        let mut places = Places::default();
        let mut steps = Vec::new();
        for activity in of_it {
            places.follow(activity);
            steps.push(self.step(activity));
        }
        steps.extend(places.open.iter().filter_map(|queue| self.names.gone(queue.0)).map(Step::removed_with));
        steps.sort_by_key(|step| step.at);
        steps
    }

    fn step(&self, activity: &Activity) -> Step {
        Step {
            at: activity.at,
            what: activity.what,
            queue: activity.queue.and_then(|id| self.queue_name(id)),
            topic: activity.topic.and_then(|id| self.names.name(id.0).cloned()),
            consumer: activity.consumer.clone(),
            reason: activity.reason.clone(),
        }
    }

    /// What a queue is called, or was that is gone lately.
    pub(crate) fn queue_name(&self, id: QueueId) -> Option<Name> {
        self.names.name(id.0).cloned()
    }
}

/// In which queues a message is, by what happened to it so far.
#[derive(Default)]
struct Places {
    open: BTreeSet<QueueId>,
    redriven: Option<QueueId>,
}

impl Places {
    fn follow(&mut self, activity: &Activity) {
        let Some(queue) = activity.queue else { return };
        if is_there(activity.what) {
            self.open.insert(queue);
        } else {
            self.open.remove(&queue);
        }
        // A redrive to another queue is a copy there.
        if let (ActivityKind::Copied, Some(from)) = (activity.what, self.redriven) {
            self.open.remove(&from);
        }
        self.redriven = (activity.what == ActivityKind::Redriven).then_some(queue);
    }
}

impl Step {
    /// What is on record of a failure. The last one is two steps: how the delivery ended, and that the message is
    /// a dead letter.
    pub(crate) fn of_failure(failure: FailureRecord, queue: Option<Name>) -> impl Iterator<Item = Self> {
        let dead = failure.fatal.then_some(ActivityKind::DeadLettered);
        failure.outcome.of_delivery().into_iter().chain(dead).map(move |what| Self {
            at: failure.ended_at,
            what,
            queue: queue.clone(),
            topic: None,
            consumer: failure.consumer.clone(),
            reason: failure.reason.clone(),
        })
    }

    /// The queue was removed with the message in it.
    fn removed_with(queue: &Gone) -> Self {
        Self {
            at: queue.at,
            what: ActivityKind::Removed,
            queue: Some(queue.name.clone()),
            topic: None,
            consumer: None,
            reason: Some(Arc::from("the queue was removed")),
        }
    }
}

/// Whether a message is in a queue after that happened to it there, if only as a dead letter.
const fn is_there(after: ActivityKind) -> bool {
    use ActivityKind as Kind;
    match after {
        Kind::Copied
        | Kind::Leased
        | Kind::Nacked
        | Kind::Returned
        | Kind::LeaseExpired
        | Kind::DeadLettered
        | Kind::Redriven
        | Kind::Replayed => true,
        Kind::Published
        | Kind::Acked
        | Kind::Expired
        | Kind::Dropped
        | Kind::Purged
        | Kind::Discarded
        | Kind::Removed
        | Kind::AutoAcked => false,
    }
}

/// Texts that activities share are counted with each.
fn text_bytes(activity: &Activity) -> usize {
    [&activity.consumer, &activity.reason].into_iter().flatten().map(|text| text.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_reasons_do_not_make_it_grow() {
        let mut journeys = Journeys::default();
        for _ in 0..3 * TEXT_BYTES / 4096 {
            let activities = &mut vec![Activity {
                at: Timestamp::default(),
                what: ActivityKind::Nacked,
                queue: None,
                topic: None,
                sequence: None,
                identity: None,
                consumer: None,
                reason: Some(Arc::from("x".repeat(4096))),
            }];
            journeys.remember(&[], activities, Timestamp::default());
        }
        assert_eq!(journeys.ring.len(), TEXT_BYTES / 4096);
        assert_eq!(journeys.text_bytes, TEXT_BYTES);
    }
}
