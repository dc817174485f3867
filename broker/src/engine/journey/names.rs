//! What queues and topics are called, those too that are gone lately: a journey that led through one goes on
//! naming it.

use std::collections::{HashMap, VecDeque};

use broker_core::{
    Core,
    change::Change,
    identity::{Name, QueueId, TopicId},
};
use units::Timestamp;

/// How many that are gone are remembered; the newest.
const GONE: usize = 10_000;

/// The names, by number: queues and topics draw theirs from one counter.
#[derive(Debug, Default)]
pub(super) struct Names {
    there: HashMap<u32, Name>,
    gone: HashMap<u32, Gone>,
    /// Which are gone, in the order in which they went.
    order: VecDeque<u32>,
}

/// A queue or topic that was removed.
#[derive(Debug)]
pub(super) struct Gone {
    pub(super) name: Name,
    pub(super) at: Timestamp,
}

impl Names {
    /// Those of all that is there.
    pub(super) fn of(core: &Core) -> Self {
        let queues = core.queues(None).map(|queue| (queue.id.0, queue.name.clone()));
        let topics = core.topics(None).map(|topic| (topic.id.0, topic.name.clone()));
        Self { there: queues.chain(topics).collect(), ..Self::default() }
    }

    /// A group that was committed then changed this.
    pub(super) fn follow(&mut self, change: &Change, now: Timestamp) {
        match change {
            Change::QueuePut(queue) => drop(self.there.insert(queue.id.0, queue.name.clone())),
            Change::TopicPut(topic) => drop(self.there.insert(topic.id.0, topic.name.clone())),
            Change::QueueGone(QueueId(id)) | Change::TopicGone(TopicId(id)) => self.remove(*id, now),
            _ => {}
        }
    }

    fn remove(&mut self, id: u32, at: Timestamp) {
        let Some(name) = self.there.remove(&id) else { return };
        self.gone.insert(id, Gone { name, at });
        self.order.push_back(id);
        if self.order.len() > GONE
            && let Some(longest) = self.order.pop_front()
        {
            self.gone.remove(&longest);
        }
    }

    pub(super) fn name(&self, id: u32) -> Option<&Name> {
        self.there.get(&id).or_else(|| self.gone(id).map(|gone| &gone.name))
    }

    pub(super) fn gone(&self, id: u32) -> Option<&Gone> {
        self.gone.get(&id)
    }
}

#[cfg(test)]
mod tests {
    use broker_core::{change::TopicRecord, settings::TopicSettings};

    use super::*;

    fn put(id: u32) -> Change {
        let name = Name::parse(&format!("topic-{id}")).unwrap();
        Change::TopicPut(TopicRecord { id: TopicId(id), name, settings: TopicSettings::default() })
    }

    #[test]
    fn what_is_gone_is_named_until_too_many_others_are() {
        let (mut names, now) = (Names::default(), Timestamp::default());
        for id in (0..=GONE as u32).rev() {
            names.follow(&put(id), now);
            names.follow(&Change::TopicGone(TopicId(id)), now);
        }
        assert!(names.name(GONE as u32).is_none() && names.there.is_empty() && names.gone.len() == GONE);
        assert_eq!(names.name(0).unwrap().as_str(), "topic-0");
    }
}
