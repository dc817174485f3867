//! Putting what a topic retains into a subscribed queue: again by a replay, or as what a subscription
//! begins with.

use units::Timestamp;

use crate::{
    activity::ActivityKind,
    choice::{Candidates, Chosen},
    command::{Command, Span},
    core::{
        Core, Step,
        publishing::sharing::{Fate, Share},
    },
    filter::Filter,
    identity::{Name, QueueId, Sequence, TopicId},
    message::State,
    queue::Queue,
    reply::{Refusal, Reply},
    settings::OnFull,
    topic::Topic,
    turn::Turn,
};

impl Core {
    /// Retained messages that a command may take and that are yet to be put to the filter that it meets, the
    /// next so many in publish order. `None` when there are none: then it can be applied. Where there are some,
    /// they are to be [put to the filter](Candidates::choose) first; one that is applied all the same takes none
    /// of them.
    #[must_use]
    pub fn to_be_chosen(&self, command: &Command, limit: usize) -> Option<Candidates> {
        let (topic, filter, span, chosen) = match command {
            Command::Replay { topic, queue, span, chosen } => {
                let topic = &self.topics[&self.topic_id(topic).ok()?];
                let subscription = topic.subscriptions.get(&self.queue_id(queue).ok()?)?;
                (topic, subscription.filter.as_ref()?, *span, chosen)
            }
            Command::PutSubscription { topic, queue, settings, chosen, .. } => {
                let topic = &self.topics[&self.topic_id(topic).ok()?];
                let is_new = !topic.subscriptions.contains_key(&self.queue_id(queue).ok()?);
                let span = settings.start.filter(|_| is_new)?.span()?;
                (topic, settings.filter.as_ref()?.as_ref()?, span, chosen)
            }
            _ => return None,
        };
        let after = chosen.looked_up_to(filter);
        let retained = topic.retained(span, after).take(limit).collect();
        Candidates::new(filter.clone(), after, retained)
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
        let not_found =
            || Refusal::SubscriptionNotFound { topic: topic_name.clone(), queue: queue_name.clone() };
        let subscription = self.topics[&topic].subscriptions.get(&queue).ok_or_else(not_found)?;
        let wanted = self.topics[&topic].chosen(subscription.filter.as_ref(), span, chosen);
        let share = self.place_again(topic, queue, wanted, OnFull::Reject, step)?;
        Ok(Reply::Replayed { count: share.demand.messages })
    }

    /// Gives a queue copies of those messages that the topic retains and that it holds none of. Where they do not
    /// all fit, it gets none, or misses some alone, as `on_full` says.
    pub(super) fn place_again(
        &mut self,
        topic: TopicId,
        queue: QueueId,
        wanted: Vec<Sequence>,
        on_full: OnFull,
        step: &mut Step<'_>,
    ) -> Result<Share, Refusal> {
        let missing = self.missing_in(queue, topic, wanted, step.now);
        let sizes: Vec<u32> = missing.iter().map(|sequence| self.messages.size_of(*sequence)).collect();
        let share = self.share(queue, on_full, || sizes.iter().copied().enumerate(), step)?;
        let shelf = self.topics[&topic].shelf();
        self.with_queue(queue, step, |queue, turn| {
            queue.make_room(share.demand, turn);
            let fates = missing.into_iter().enumerate().map(|(index, it)| (it, share.fate(index)));
            for (sequence, fate) in fates.filter(|(_, fate)| fate.is_kept()) {
                queue.take_replayed(sequence, shelf, fate, turn);
            }
        });
        Ok(share)
    }

    /// Those that are retained still, that the queue lacks, and whose own TTL has not ended.
    fn missing_in(
        &self,
        queue: QueueId,
        topic: TopicId,
        mut sequences: Vec<Sequence>,
        now: Timestamp,
    ) -> Vec<Sequence> {
        let shelf = self.topics[&topic].shelf();
        let find = |sequence, of| self.messages.find_copy(sequence, of);
        sequences.retain(|sequence| {
            let kept = find(*sequence, shelf).map(|slot| self.messages.copy(slot));
            kept.is_some_and(|kept| kept.expires_at > now) && find(*sequence, queue).is_none()
        });
        sequences
    }
}

impl Topic {
    /// What it retains of that time and the filter lets pass, in publish order; what was chosen before may be
    /// retained no longer.
    pub(super) fn chosen(&self, filter: Option<&Filter>, span: Span, chosen: Chosen) -> Vec<Sequence> {
        match filter {
            Some(filter) => chosen.passing(filter),
            None => self.retained(span, None).map(|it| it.sequence).collect(),
        }
    }
}

impl Queue {
    /// Takes in a message that a topic keeps on that shelf, in publish order: it can be received from now on, or
    /// once it is due by its own delay, until its own TTL ends. One that does not fit dies here.
    fn take_replayed(&mut self, sequence: Sequence, shelf: QueueId, fate: Fate, turn: &mut Turn<'_>) {
        let kept = turn.messages.copy(turn.messages.copy_in(sequence, shelf));
        let (position_at, available_at) = (kept.position_at, kept.position_at.max(turn.now));
        let left = kept.expires().map(|at| at.since(available_at));
        let (message, ttl) = (kept.message, self.capped_ttl(left));
        let expires_at = ttl.map(|ttl| available_at.plus(ttl));
        let slot = turn.messages.add_copy(message, self.id, position_at, expires_at);
        let copy = turn.messages.copy_mut(slot);
        copy.state = State::Waiting { available_at };
        let trail = copy.trail_mut();
        trail.replayed = true;
        trail.restarted_ttl = ttl;
        // A lease given here before may name it still: from an earlier copy of this message.
        trail.ended_lease = Some(turn.latest_lease);
        self.count(|counters| counters.replayed += 1);
        turn.note_plainly(ActivityKind::Replayed, slot);
        if fate == Fate::Dies {
            self.bury(slot, turn);
        } else {
            self.admit(slot, turn);
            turn.write_copy(slot);
        }
    }
}
