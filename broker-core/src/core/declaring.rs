//! Making, changing and removing queues, topics and subscriptions.

use crate::{
    change::{Change, QueueRecord, TopicRecord},
    choice::Chosen,
    command::SubscriptionPatch,
    core::{Core, Step},
    counters::QueueCounters,
    identity::{Name, QueueId, TopicId},
    queue::Queue,
    reply::{Refusal, Reply},
    settings::{QueueSettings, QueueSettingsPatch, TopicSettings, TopicSettingsPatch},
    topic::Topic,
};

impl Core {
    pub(super) fn put_queue(
        &mut self,
        name: Name,
        patch: QueueSettingsPatch,
        only_create: bool,
        step: &mut Step<'_>,
    ) -> Result<Reply, Refusal> {
        match self.queue_names.get(&name).copied() {
            Some(_) if only_create => Err(Refusal::AlreadyExists),
            Some(id) => self.change_queue(id, patch, step),
            None => {
                let settings = QueueSettings::default().patched(patch)?;
                self.check_room_for_another()?;
                let id = QueueId(self.next_destination());
                let record = QueueRecord { id, name, settings, counters: QueueCounters::default() };
                step.effects.changes.push(Change::QueuePut(Box::new(record.clone())));
                self.add_queue(record);
                Ok(Reply::Put { created: true })
            }
        }
    }

    fn change_queue(
        &mut self,
        id: QueueId,
        patch: QueueSettingsPatch,
        step: &mut Step<'_>,
    ) -> Result<Reply, Refusal> {
        self.with_queue(id, step, |queue, turn| {
            let settings = queue.settings.patched(patch)?;
            if settings.ordering != queue.settings.ordering && queue.live() > 0 {
                return Err(Refusal::SettingConflict { setting: "ordering" });
            }
            if settings != queue.settings {
                queue.settings = settings;
                turn.write(Change::QueuePut(Box::new(queue.record())));
            }
            Ok(Reply::Put { created: false })
        })
    }

    /// Takes a queue up in the indexes.
    pub(crate) fn add_queue(&mut self, record: QueueRecord) {
        self.queue_names.insert(record.name.clone(), record.id);
        self.queues.insert(record.id, Queue::new(record));
    }

    /// Removes a queue at once. Its messages that are in no other queue are cleared away by the next ticks.
    pub(super) fn delete_queue(
        &mut self,
        name: &Name,
        force: bool,
        step: &mut Step<'_>,
    ) -> Result<Reply, Refusal> {
        let id = self.queue_id(name)?;
        let queue = &self.queues[&id];
        if !force && !queue.is_empty() {
            return Err(Refusal::QueueNotEmpty { live: queue.live(), dead: queue.dead.len() as u64 });
        }
        self.queue_names.remove(name);
        let queue = self.queues.remove(&id).expect("a name stands for a queue that is there");
        for topic in self.topics.values_mut() {
            topic.subscriptions.remove(&id);
        }
        let waiting = queue.line.after(None).chain(queue.leased.iter().copied()).map(|it| it.sequence);
        let dead = queue.dead.iter().map(|(_, sequence)| *sequence);
        let before = self.left_over.len();
        self.left_over.extend(waiting.chain(dead).map(|sequence| (sequence, id)));
        self.agenda.set(id.0, None);
        step.effects.changes.push(Change::QueueGone(id));
        self.end_redrives_of(name, step);
        Ok(Reply::Removed { count: (self.left_over.len() - before) as u64 })
    }

    pub(super) fn put_topic(
        &mut self,
        name: Name,
        patch: &TopicSettingsPatch,
        only_create: bool,
        step: &mut Step<'_>,
    ) -> Result<Reply, Refusal> {
        let Some(id) = self.topic_names.get(&name).copied() else {
            let settings = TopicSettings::default().patched(patch)?;
            self.check_room_for_another()?;
            let record = TopicRecord { id: TopicId(self.next_destination()), name, settings };
            step.effects.changes.push(Change::TopicPut(record.clone()));
            self.add_topic(record);
            return Ok(Reply::Put { created: true });
        };
        if only_create {
            return Err(Refusal::AlreadyExists);
        }
        let topic = self.topics.get_mut(&id).expect("a name stands for a topic that is there");
        let settings = topic.settings.patched(patch)?;
        if settings != topic.settings {
            topic.settings = settings;
            step.effects.changes.push(Change::TopicPut(topic.record()));
        }
        self.close_topic(id);
        Ok(Reply::Put { created: false })
    }

    /// Takes a topic up in the indexes.
    pub(crate) fn add_topic(&mut self, record: TopicRecord) {
        self.topic_names.insert(record.name.clone(), record.id);
        self.topics.insert(record.id, Topic::new(record));
    }

    /// Removes a topic at once. What it retains alone is cleared away by the next ticks.
    pub(super) fn delete_topic(&mut self, name: &Name, step: &mut Step<'_>) -> Result<Reply, Refusal> {
        let id = self.topic_id(name)?;
        self.topic_names.remove(name);
        let topic = self.topics.remove(&id).expect("a name stands for a topic that is there");
        self.left_over.extend(topic.retained_sequences().map(|sequence| (sequence, topic.shelf())));
        self.agenda.set(id.0, None);
        step.effects.changes.push(Change::TopicGone(id));
        Ok(Reply::Removed { count: 1 })
    }

    /// Subscribes a queue, with what it is to begin with, or changes the subscription.
    pub(super) fn put_subscription(
        &mut self,
        topic: &Name,
        queue: &Name,
        patch: SubscriptionPatch,
        only_create: bool,
        chosen: Chosen,
        step: &mut Step<'_>,
    ) -> Result<Reply, Refusal> {
        let (id, queue) = (self.topic_id(topic)?, self.queue_id(queue)?);
        let before = self.topics[&id].subscriptions.get(&queue);
        if only_create && before.is_some() {
            return Err(Refusal::AlreadyExists);
        }
        let created = before.is_none();
        let mut after = before.cloned().unwrap_or_default().patched(patch, created)?;
        if before == Some(&after) {
            return Ok(Reply::Put { created });
        }
        if created && let Some(span) = after.start.span() {
            let wanted = self.topics[&id].chosen(after.filter.as_ref(), span, chosen);
            let share = self.place_again(id, queue, wanted, after.on_full, step)?;
            after.dropped = share.missed.len() as u64;
        }
        let topic = self.topics.get_mut(&id).expect("a name stands for a topic that is there");
        topic.subscriptions.insert(queue, after);
        step.effects.changes.extend(topic.subscription_record(queue).map(Change::SubscriptionPut));
        Ok(Reply::Put { created })
    }

    pub(super) fn delete_subscription(
        &mut self,
        topic_name: &Name,
        queue_name: &Name,
        step: &mut Step<'_>,
    ) -> Result<Reply, Refusal> {
        let (topic, queue) = (self.topic_id(topic_name)?, self.queue_id(queue_name)?);
        let subscriptions = &mut self.topics.get_mut(&topic).expect("its name was just found").subscriptions;
        let not_found =
            || Refusal::SubscriptionNotFound { topic: topic_name.clone(), queue: queue_name.clone() };
        subscriptions.remove(&queue).ok_or_else(not_found)?;
        step.effects.changes.push(Change::SubscriptionGone(topic, queue));
        Ok(Reply::Removed { count: 1 })
    }

    fn check_room_for_another(&self) -> Result<(), Refusal> {
        if self.queues.len() + self.topics.len() < self.most_destinations {
            return Ok(());
        }
        Err(Refusal::TooManyQueues { limit: self.most_destinations })
    }

    pub(super) fn next_destination(&mut self) -> u32 {
        let number = self.high_water.next_destination;
        self.high_water.next_destination += 1;
        number
    }
}
