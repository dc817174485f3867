//! The whole state machine behind one door: commands in, replies and changes out, and looks.

use units::Timestamp;

use crate::{
    change::{Effects, HighWater},
    command::Command,
    identity::{Name, QueueId, Selector, Sequence, TopicId},
    reply::{Refusal, Reply},
    restore::Restore,
    view::{Browsed, DeadLetter, Position, QueueView, SubscriptionView, TopicView, WaitingState},
};

/// The broker's state. See the crate's documentation for the rules.
#[derive(Debug)]
pub struct Core {
    high_water: HighWater,
}

impl Core {
    /// An empty broker. The seed is for the backoff's jitter only.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let _ = seed;
        Self { high_water: HighWater { next_sequence: 1, next_lease: 1, next_destination: 1 } }
    }

    /// Starts to restore a core from what the store kept; see [`Restore`] for the order.
    #[must_use]
    pub fn restore(seed: u64, high_water: HighWater) -> Restore {
        Restore::new(seed, high_water)
    }

    /// Carries out one command. Call [`Self::tick`] with the same `now` before a group of commands;
    /// `now` never goes back.
    ///
    /// # Errors
    /// A [`Refusal`]; it changed nothing but the counter of refused messages, which the effects name.
    pub fn apply(
        &mut self,
        command: Command,
        now: Timestamp,
        effects: &mut Effects,
    ) -> Result<Reply, Refusal> {
        let _ = (command, now, effects);
        Err(Refusal::MessageNotFound)
    }

    /// Does what fell due by `now`, or a slice of it: then [`Self::next_deadline`] is not after `now`
    /// and it wants to be called again, after the commands that wait.
    pub fn tick(&mut self, now: Timestamp, effects: &mut Effects) {
        let _ = (now, effects);
    }

    /// When the next tick is wanted. It may be earlier than needed.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        None
    }

    /// The numbers that come next; to be stored with every group.
    #[must_use]
    pub fn high_water(&self) -> HighWater {
        self.high_water
    }

    /// A queue.
    #[must_use]
    pub fn queue(&self, name: &Name) -> Option<QueueView<'_>> {
        let _ = name;
        None
    }

    /// A queue by its number.
    #[must_use]
    pub fn queue_by_id(&self, id: QueueId) -> Option<QueueView<'_>> {
        let _ = id;
        None
    }

    /// Queues by name, those after `after`.
    #[must_use]
    pub fn queues(&self, after: Option<&Name>, limit: usize) -> Vec<QueueView<'_>> {
        let _ = (after, limit);
        Vec::new()
    }

    /// A topic.
    #[must_use]
    pub fn topic(&self, name: &Name) -> Option<TopicView<'_>> {
        let _ = name;
        None
    }

    /// A topic by its number.
    #[must_use]
    pub fn topic_by_id(&self, id: TopicId) -> Option<TopicView<'_>> {
        let _ = id;
        None
    }

    /// Topics by name, those after `after`.
    #[must_use]
    pub fn topics(&self, after: Option<&Name>, limit: usize) -> Vec<TopicView<'_>> {
        let _ = (after, limit);
        Vec::new()
    }

    /// The subscriptions of a topic, by the queues' names; none of an unknown topic.
    #[must_use]
    pub fn subscriptions(&self, topic: &Name) -> Vec<SubscriptionView<'_>> {
        let _ = topic;
        Vec::new()
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
        let _ = (queue, state, after, limit);
        Vec::new()
    }

    /// The dead letters of a queue, newest first, those before `before`; none of an unknown queue.
    #[must_use]
    pub fn dead_letters(
        &self,
        queue: &Name,
        before: Option<(Timestamp, Sequence)>,
        limit: usize,
    ) -> Vec<DeadLetter> {
        let _ = (queue, before, limit);
        Vec::new()
    }

    /// One dead letter.
    #[must_use]
    pub fn dead_letter(&self, queue: &Name, sequence: Sequence) -> Option<DeadLetter> {
        let _ = (queue, sequence);
        None
    }

    /// The messages of that id in a queue, whatever their state, newest first.
    #[must_use]
    pub fn find(&self, queue: &Name, message: Selector) -> Vec<Sequence> {
        let _ = (queue, message);
        Vec::new()
    }

    /// The dead letters of that id in a queue, newest first.
    #[must_use]
    pub fn find_dead(&self, queue: &Name, message: Selector) -> Vec<Sequence> {
        let _ = (queue, message);
        Vec::new()
    }

    /// The messages of that id with the queues that hold them, newest first.
    #[must_use]
    pub fn find_anywhere(&self, message: Selector) -> Vec<(Sequence, Vec<QueueId>)> {
        let _ = message;
        Vec::new()
    }
}
