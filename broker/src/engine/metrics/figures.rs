//! Figures as they are copied out of the engine, to be written as text elsewhere: its thread only copies
//! numbers, of so many queues or topics at a time.

use broker_core::{
    Core,
    counters::{QueueCounters, QueueGauges, TopicCounters},
    identity::Name,
    view::{QueueView, TopicView},
};
use units::Timestamp;

use super::{super::room, Measured};

/// What the engine itself shows.
#[derive(Debug)]
pub(crate) struct EngineFigures {
    /// Since the start, in seconds.
    pub(super) uptime: u64,
    /// How many receives wait.
    pub(super) waiting: usize,
    /// What the disk has.
    pub(super) room: room::Figures,
    pub(super) measured: Measured,
}

/// What a queue shows.
#[derive(Debug)]
pub(crate) struct QueueFigures {
    pub(super) name: Name,
    pub(super) gauges: QueueGauges,
    pub(super) counters: QueueCounters,
    /// For how long its oldest message could have been received, in seconds; 0 without one.
    pub(super) oldest_age: u64,
    pub(super) remembered_ids: u64,
    pub(super) ids_forgotten_early: u64,
}

/// What a topic shows.
#[derive(Debug)]
pub(crate) struct TopicFigures {
    pub(super) name: Name,
    pub(super) counters: TopicCounters,
    pub(super) retained: u64,
    pub(super) retained_bytes: u64,
    pub(super) remembered_ids: u64,
    pub(super) ids_forgotten_early: u64,
    /// How many messages each subscriber missed, by queue.
    pub(super) dropped: Vec<(Name, u64)>,
}

/// Figures of a kind that there are many of, each under its name.
pub(crate) trait Named: Sized + Send + 'static {
    /// Those behind that name, by name, until what they show is of so many; none where there are no more.
    fn page(core: &Core, now: Timestamp, after: Option<&Name>, limit: usize) -> Vec<Self>;

    /// Whose they are.
    fn name(&self) -> &Name;
}

impl Named for QueueFigures {
    fn page(core: &Core, now: Timestamp, after: Option<&Name>, limit: usize) -> Vec<Self> {
        let figures = |queue: QueueView<'_>| Self {
            name: queue.name.clone(),
            gauges: queue.gauges,
            counters: queue.counters,
            oldest_age: queue.oldest_at.map_or(0, |at| now.since(at).as_secs()),
            remembered_ids: queue.remembered_ids,
            ids_forgotten_early: queue.ids_forgotten_early,
        };
        core.queues(after).take(limit).map(figures).collect()
    }

    fn name(&self) -> &Name {
        &self.name
    }
}

impl Named for TopicFigures {
    fn page(core: &Core, _: Timestamp, after: Option<&Name>, limit: usize) -> Vec<Self> {
        let figures = |topic: TopicView<'_>| Self {
            name: topic.name.clone(),
            counters: topic.counters,
            retained: topic.retained,
            retained_bytes: topic.retained_bytes,
            remembered_ids: topic.remembered_ids,
            ids_forgotten_early: topic.ids_forgotten_early,
            dropped: dropped(core, topic.name),
        };
        let mut page: Vec<Self> = Vec::new();
        let mut copied = 0;
        for topic in core.topics(after) {
            if copied >= limit {
                break;
            }
            let figures = figures(topic);
            copied += 1 + figures.dropped.len();
            page.push(figures);
        }
        page
    }

    fn name(&self) -> &Name {
        &self.name
    }
}

fn dropped(core: &Core, topic: &Name) -> Vec<(Name, u64)> {
    let subscriptions = core.subscriptions(topic).into_iter();
    subscriptions.map(|subscription| (subscription.queue_name.clone(), subscription.dropped)).collect()
}

#[cfg(test)]
mod tests {
    use broker_core::{
        change::Effects,
        choice::Chosen,
        command::{Command, SubscriptionPatch},
        settings::{QueueSettingsPatch, TopicSettingsPatch},
    };

    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    /// Four topics, of which `b` has three subscriptions.
    fn core() -> Core {
        let (mut core, mut effects) = (Core::new(1), Effects::default());
        let mut apply = |command| core.apply(command, Timestamp::default(), &mut effects).unwrap();
        for topic in ["a", "b", "c", "d"] {
            let settings = TopicSettingsPatch::default();
            apply(Command::PutTopic { name: name(topic), settings, only_create: false });
        }
        for queue in ["x", "y", "z"] {
            let settings = QueueSettingsPatch::default();
            apply(Command::PutQueue { name: name(queue), settings, only_create: false });
            let (topic, queue, settings) = (name("b"), name(queue), SubscriptionPatch::default());
            let chosen = Chosen::All;
            apply(Command::PutSubscription { topic, queue, settings, only_create: false, chosen });
        }
        core
    }

    #[test]
    fn a_page_of_topics_ends_where_their_subscriptions_are_many() {
        let core = core();
        let page = |after: Option<&str>| {
            let page = TopicFigures::page(&core, Timestamp::default(), after.map(name).as_ref(), 3);
            page.iter().map(|topic| topic.name.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(page(None), ["a", "b"]);
        assert_eq!(page(Some("b")), ["c", "d"]);
        assert!(page(Some("d")).is_empty());
    }
}
