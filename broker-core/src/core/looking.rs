//! The looks at the core: they never change anything, and show the state as of the last tick.

use std::ops::Bound;

use units::Timestamp;

use crate::{
    command::Span,
    core::Core,
    identity::{Name, QueueId, RedriveId, Selector, Sequence, TopicId},
    message::State,
    ordering::bound_after,
    queue::Queue,
    redrive::Redrive,
    view::{
        Browsed, DeadLetter, Position, QueueView, RedriveView, Retained, SubscriptionView, TopicView,
        WaitingState, Whereabouts,
    },
};

impl Core {
    /// A queue.
    #[must_use]
    pub fn queue(&self, name: &Name) -> Option<QueueView<'_>> {
        self.queue_named(name).map(|queue| queue.view())
    }

    /// A queue by its number.
    #[must_use]
    pub fn queue_by_id(&self, id: QueueId) -> Option<QueueView<'_>> {
        self.queues.get(&id).map(|queue| queue.view())
    }

    /// Queues by name, those after `after`.
    pub fn queues(&self, after: Option<&Name>) -> impl Iterator<Item = QueueView<'_>> + use<'_> {
        let names = self.queue_names.range::<Name, _>((bound_after(after), Bound::Unbounded));
        names.map(|(_, id)| self.queues[id].view())
    }

    /// A topic.
    #[must_use]
    pub fn topic(&self, name: &Name) -> Option<TopicView<'_>> {
        self.topic_by_id(*self.topic_names.get(name)?)
    }

    /// A topic by its number.
    #[must_use]
    pub fn topic_by_id(&self, id: TopicId) -> Option<TopicView<'_>> {
        self.topics.get(&id).map(crate::topic::Topic::view)
    }

    /// Topics by name, those after `after`.
    pub fn topics(&self, after: Option<&Name>) -> impl Iterator<Item = TopicView<'_>> + use<'_> {
        let names = self.topic_names.range::<Name, _>((bound_after(after), Bound::Unbounded));
        names.map(|(_, id)| self.topics[id].view())
    }

    /// The subscriptions of a topic, by the queues' names; none of an unknown topic.
    #[must_use]
    pub fn subscriptions(&self, topic: &Name) -> Vec<SubscriptionView<'_>> {
        let Some(topic) = self.topic_names.get(topic).and_then(|id| self.topics.get(id)) else {
            return Vec::new();
        };
        let views = topic.subscriptions.iter().map(|(queue, subscription)| SubscriptionView {
            queue: *queue,
            queue_name: &self.queues[queue].name,
            on_full: subscription.on_full,
            filter: subscription.filter.as_ref(),
            start: subscription.start,
            dropped: subscription.dropped,
        });
        let mut views: Vec<_> = views.collect();
        views.sort_by_key(|subscription| subscription.queue_name);
        views
    }

    /// What a topic retains of that time, after that place, oldest first; none of an unknown topic.
    #[must_use]
    pub fn retained(&self, topic: &Name, span: Span, after: Option<Retained>, limit: usize) -> Vec<Retained> {
        let topic = self.topic_names.get(topic).and_then(|id| self.topics.get(id));
        topic.map_or_else(Vec::new, |topic| topic.retained(span, after).take(limit).collect())
    }

    /// The messages of a queue that are not dead, in the queue's order (with [`WaitingState::Delayed`]
    /// by when they are ready), those after `after`; none of an unknown queue.
    #[must_use]
    pub fn browse(
        &self,
        queue: &Name,
        state: Option<WaitingState>,
        after: Option<Position>,
        limit: usize,
    ) -> Vec<Browsed> {
        self.queue_named(queue)
            .map_or_else(Vec::new, |queue| queue.browse(state, after, limit, &self.messages))
    }

    /// The dead letters of a queue, newest first, those before `before`; none of an unknown queue.
    #[must_use]
    pub fn dead_letters(
        &self,
        queue: &Name,
        before: Option<(Timestamp, Sequence)>,
        limit: usize,
    ) -> Vec<DeadLetter> {
        self.queue_named(queue)
            .map_or_else(Vec::new, |queue| queue.dead_letters(before, limit, &self.messages))
    }

    /// One dead letter.
    #[must_use]
    pub fn dead_letter(&self, queue: &Name, sequence: Sequence) -> Option<DeadLetter> {
        self.queue_named(queue)?.dead_letter(sequence, &self.messages)
    }

    /// A paced redrive, running or ended.
    #[must_use]
    pub fn paced_redrive(&self, id: RedriveId) -> Option<RedriveView> {
        self.redrives.get(&id).map(Redrive::view)
    }

    /// The paced redrives by their numbers, those before `before`, newest first.
    pub fn paced_redrives(&self, before: Option<RedriveId>) -> impl Iterator<Item = RedriveView> + '_ {
        let range = self.redrives.range((Bound::Unbounded, bound_after(before)));
        range.rev().map(|(_, redrive)| redrive.view())
    }

    /// The messages of that id in a queue, whatever their state, newest first.
    #[must_use]
    pub fn find(&self, queue: &Name, message: Selector) -> Vec<Sequence> {
        self.find_in(queue, message, |_| true)
    }

    /// The dead letters of that id in a queue, newest first.
    #[must_use]
    pub fn find_dead(&self, queue: &Name, message: Selector) -> Vec<Sequence> {
        self.find_in(queue, message, |state| matches!(state, State::Dead { .. }))
    }

    fn find_in(&self, queue: &Name, message: Selector, wanted: impl Fn(State) -> bool) -> Vec<Sequence> {
        let Some(queue) = self.queue_named(queue) else { return Vec::new() };
        let sequences = self.messages.select(message).map(|slot| self.messages.message(slot).sequence);
        let wanted = |sequence: &Sequence| {
            let copy = self.messages.find_copy(*sequence, queue.id);
            copy.is_some_and(|slot| wanted(self.messages.copy(slot).state))
        };
        sequences.filter(wanted).collect()
    }

    /// The messages of that id with where they are, newest first.
    #[must_use]
    pub fn find_anywhere(&self, message: Selector) -> Vec<Whereabouts> {
        let found = self.messages.select(message).map(|slot| {
            let sequence = self.messages.message(slot).sequence;
            let holders = self.messages.copies_of(slot).map(|copy| self.messages.copy(copy).queue);
            let (mut queues, others): (Vec<_>, Vec<_>) =
                holders.partition(|queue| self.queues.contains_key(queue));
            queues.sort_unstable();
            let topic =
                others.into_iter().map(|shelf| TopicId(shelf.0)).find(|id| self.topics.contains_key(id));
            Whereabouts { sequence, queues, topic }
        });
        found.filter(|it| !it.queues.is_empty() || it.topic.is_some()).collect()
    }

    fn queue_named(&self, name: &Name) -> Option<&Queue> {
        self.queues.get(self.queue_names.get(name)?)
    }
}
