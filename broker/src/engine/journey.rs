//! What happened to messages lately: a bounded ring in memory, lost at a restart.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use broker_core::{
    Core,
    activity::{Activity, ActivityKind},
    identity::{Name, QueueId, Selector, Sequence},
};
use units::Timestamp;

/// How many activities are remembered. At some 130 bytes each, about 8 MB when it is full.
const CAPACITY: usize = 65_536;
/// How many bytes their texts have at the most: reasons may be long.
const TEXT_BYTES: usize = 8 << 20;

/// What is known of a message's way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journey {
    /// The newest message of the id.
    pub sequence: Sequence,
    /// What happened to it, oldest first, as far as memory reaches.
    pub steps: Vec<Step>,
    /// The queues that it is in now, dead letters too.
    pub places: Vec<(QueueId, Name)>,
    /// Whether memory reaches back to its publishing.
    pub complete: bool,
    /// How many other messages of that id are known.
    pub others: usize,
}

/// One thing that happened to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: ActivityKind,
    /// In which queue; `None` where it concerns none, or one that is gone.
    pub queue: Option<Name>,
    /// To which topic it was published; `None` also where that is gone.
    pub topic: Option<Name>,
    /// Who received it.
    pub consumer: Option<Arc<str>>,
    /// Why it failed.
    pub reason: Option<Arc<str>>,
}

/// The ring.
#[derive(Debug, Default)]
pub(crate) struct Journeys {
    ring: VecDeque<Activity>,
    text_bytes: usize,
}

impl Journeys {
    /// Remembers what a committed group did.
    pub(crate) fn remember(&mut self, activities: &mut Vec<Activity>) {
        self.text_bytes += activities.iter().map(text_bytes).sum::<usize>();
        self.ring.extend(activities.drain(..));
        while self.ring.len() > CAPACITY || self.text_bytes > TEXT_BYTES {
            let Some(oldest) = self.ring.pop_front() else { break };
            self.text_bytes -= text_bytes(&oldest);
        }
    }

    /// The journey of the newest message of an id; `None` when none is known.
    pub(crate) fn of(&self, selector: Selector, core: &Core) -> Option<Journey> {
        let matches =
            |activity: &&Activity| activity.identity.is_some_and(|identity| selector.matches(&identity));
        let stored = core.find_anywhere(selector);
        let remembered = self.ring.iter().filter(matches).filter_map(|activity| activity.sequence);
        let known: BTreeSet<Sequence> =
            stored.iter().map(|(sequence, _)| *sequence).chain(remembered).collect();
        let sequence = *known.last()?;
        let places = stored.into_iter().find(|(stored, _)| *stored == sequence).map(|(_, queues)| queues);
        let steps: Vec<Step> = self.steps(sequence, core);
        Some(Journey {
            sequence,
            complete: steps.first().is_some_and(|step| step.what == ActivityKind::Published),
            steps,
            places: places.into_iter().flatten().filter_map(|id| Some((id, queue_name(core, id)?))).collect(),
            others: known.len() - 1,
        })
    }

    fn steps(&self, sequence: Sequence, core: &Core) -> Vec<Step> {
        let of_it = self.ring.iter().filter(|activity| activity.sequence == Some(sequence));
        of_it
            .map(|activity| Step {
                at: activity.at,
                what: activity.what,
                queue: activity.queue.and_then(|id| queue_name(core, id)),
                topic: activity.topic.and_then(|id| Some(core.topic_by_id(id)?.name.clone())),
                consumer: activity.consumer.clone(),
                reason: activity.reason.clone(),
            })
            .collect()
    }
}

/// Texts that activities share are counted with each.
fn text_bytes(activity: &Activity) -> usize {
    [&activity.consumer, &activity.reason].into_iter().flatten().map(|text| text.len()).sum()
}

fn queue_name(core: &Core, id: QueueId) -> Option<Name> {
    core.queue_by_id(id).map(|queue| queue.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_reasons_do_not_make_it_grow() {
        let mut journeys = Journeys::default();
        for _ in 0..3 * TEXT_BYTES / 4096 {
            journeys.remember(&mut vec![Activity {
                at: Timestamp::default(),
                what: ActivityKind::Nacked,
                queue: None,
                topic: None,
                sequence: None,
                identity: None,
                consumer: None,
                reason: Some(Arc::from("x".repeat(4096))),
            }]);
        }
        assert_eq!(journeys.ring.len(), TEXT_BYTES / 4096);
        assert_eq!(journeys.text_bytes, TEXT_BYTES);
    }
}
