//! Putting what a topic retains into a subscribed queue: again by a replay, or as what a subscription
//! begins with.

use crate::{
    change::ActivityKind,
    command::{Chosen, Command, Span},
    core::{Core, Step},
    filter::Filter,
    identity::{Name, QueueId, Sequence, TopicId},
    queue::{Demand, Queue},
    reply::{Refusal, Reply},
    turn::Turn,
};

impl Core {
    /// The filter that decides which retained messages a command takes, with those that it may take and that
    /// were not looked at yet, in publish order; `None` where no filter stands in its way. Whoever can read the
    /// stored events puts those that pass into the command's [`Chosen`].
    #[must_use]
    pub fn to_be_chosen(&self, command: &Command) -> Option<(Filter, Vec<Sequence>)> {
        let (topic, filter, span, chosen) = match command {
            Command::Replay { topic, queue, span, chosen } => {
                let id = self.topic_id(topic).ok()?;
                let queue = self.queue_id(queue).ok()?;
                (id, self.topics[&id].subscriptions.get(&queue)?.filter.clone()?, *span, chosen)
            }
            Command::PutSubscription { topic, queue, settings, chosen, .. } => {
                let id = self.topic_id(topic).ok()?;
                let queue = self.queue_id(queue).ok()?;
                let is_new = !self.topics[&id].subscriptions.contains_key(&queue);
                let span = settings.start.filter(|_| is_new)?.span()?;
                (id, settings.filter.clone().flatten()?, span, chosen)
            }
            _ => return None,
        };
        let from = chosen.from()?;
        let retained = self.topics[&topic].retained(span, None).map(|it| it.sequence);
        Some((filter, retained.filter(|sequence| *sequence >= from).collect()))
    }

    /// Puts retained messages into a subscribed queue again.
    pub(super) fn replay(
        &mut self,
        topic_name: &Name,
        queue_name: &Name,
        span: Span,
        chosen: Chosen,
        step: &mut Step<'_>,
    ) -> Result<Reply, Refusal> {
        let (topic, queue) = (self.topic_id(topic_name)?, self.queue_id(queue_name)?);
        if !self.topics[&topic].subscriptions.contains_key(&queue) {
            return Err(Refusal::SubscriptionNotFound {
                topic: topic_name.clone(),
                queue: queue_name.clone(),
            });
        }
        Ok(Reply::Replayed { count: self.place_again(topic, queue, span, chosen, step)? })
    }

    /// Gives a queue copies of the messages that it holds none of; all of them or none.
    pub(super) fn place_again(
        &mut self,
        topic: TopicId,
        queue: QueueId,
        span: Span,
        chosen: Chosen,
        step: &mut Step<'_>,
    ) -> Result<u64, Refusal> {
        let missing = self.missing_in(queue, topic, span, chosen);
        let size = |sequence: &Sequence| self.messages.size_of(*sequence);
        let demand = missing.iter().fold(Demand::default(), |demand, it| demand.and(size(it)));
        if let Err(no_room) = self.queues[&queue].room_for(demand) {
            return Err(self.reject(queue, demand.messages, no_room, step));
        }
        let shelf = self.topics[&topic].shelf();
        self.with_queue(queue, step, |queue, turn| {
            queue.make_room(demand, turn);
            missing.iter().for_each(|sequence| queue.take_replayed(*sequence, shelf, turn));
        });
        Ok(demand.messages)
    }

    fn missing_in(&self, queue: QueueId, topic: TopicId, span: Span, chosen: Chosen) -> Vec<Sequence> {
        let topic = &self.topics[&topic];
        let from = chosen.from();
        let all = topic.retained(span, None).map(|it| it.sequence);
        let rest = all.filter(|sequence| from.is_some_and(|from| *sequence >= from)).collect();
        let Chosen::These(mut sequences) = chosen.and(rest) else { return Vec::new() };
        let is_in = |sequence: &Sequence, place| self.messages.find_copy(*sequence, place).is_some();
        // What was let go of since it was chosen is passed over.
        sequences.retain(|it| is_in(it, topic.shelf()) && !is_in(it, queue));
        sequences
    }
}

impl Queue {
    /// Takes in a message that a topic keeps on that shelf: it can be received from now on.
    fn take_replayed(&mut self, sequence: Sequence, shelf: QueueId, turn: &mut Turn<'_>) {
        let kept = turn.messages.copy(turn.messages.copy_in(sequence, shelf));
        let (message, ttl) = (kept.message, kept.ttl().or(self.settings.ttl));
        let expires_at = ttl.map(|ttl| turn.now.plus(ttl));
        let slot = turn.messages.add_copy(message, self.id, turn.now, expires_at);
        let trail = turn.messages.copy_mut(slot).trail_mut();
        trail.replayed = true;
        trail.restarted_ttl = ttl;
        // A lease given here before may name it still: from an earlier copy of this message.
        trail.ended_lease = Some(turn.latest_lease);
        self.count(|counters| counters.replayed += 1);
        turn.note_plainly(ActivityKind::Replayed, slot);
        self.admit(slot, turn);
        turn.write_copy(slot);
    }
}
