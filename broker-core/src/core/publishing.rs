//! Publishing: what was published before is told apart first, then every queue is asked whether the rest
//! fits, and only then is anything changed.

mod judging;
mod placing;
pub(super) mod sharing;

use self::{
    judging::Verdict,
    sharing::{Share, first_without_route},
};
use crate::{
    change::Change,
    command::{Destination, Publish},
    core::{Core, Step},
    identity::{QueueId, TopicId},
    reply::{Published, Refusal, Reply},
};

/// Where a publish goes, by number.
#[derive(Clone, Copy)]
enum Target {
    Queue(QueueId),
    Topic(TopicId),
}

impl Target {
    fn number(self) -> u32 {
        match self {
            Self::Queue(id) => id.0,
            Self::Topic(id) => id.0,
        }
    }

    fn queue(self) -> Option<QueueId> {
        match self {
            Self::Queue(id) => Some(id),
            Self::Topic(_) => None,
        }
    }

    fn topic(self) -> Option<TopicId> {
        match self {
            Self::Queue(_) => None,
            Self::Topic(id) => Some(id),
        }
    }
}

impl Core {
    pub(super) fn publish(&mut self, publish: Publish, step: &mut Step<'_>) -> Result<Reply, Refusal> {
        let target = self.target(&publish.destination)?;
        let asked = publish.messages.len() as u64;
        let published = self.publish_to(target, publish, step);
        if let Target::Topic(id) = target {
            let topic = self.topics.get_mut(&id).expect("the target was found");
            topic.counters.count(asked, &published);
        }
        published.map(Reply::Published)
    }

    fn publish_to(
        &mut self,
        target: Target,
        publish: Publish,
        step: &mut Step<'_>,
    ) -> Result<Vec<Published>, Refusal> {
        let verdicts = self.judge(target, &publish.messages, step.now)?;
        let messages = publish.messages;
        let new = || {
            messages.iter().zip(&verdicts).filter(|(_, verdict)| **verdict == Verdict::New).map(|(it, _)| it)
        };
        let shares = self.plan(target, &new, step)?;
        if publish.require_route
            && let Some(stray) = first_without_route(&shares, new().count())
        {
            let places = verdicts.iter().enumerate().filter(|(_, verdict)| **verdict == Verdict::New);
            let index = places.map(|(index, _)| index).nth(stray).expect("it is one of the new messages");
            return Err(Refusal::NoRoute { index });
        }
        self.make_room(&shares, step);
        let results = self.place_all(target, messages, &verdicts, &shares, step);
        self.count_duplicates(target, &results);
        self.count_missed(target, &shares, step);
        self.finish_publish(target, &shares, step);
        Ok(results)
    }

    fn target(&self, destination: &Destination) -> Result<Target, Refusal> {
        match destination {
            Destination::Queue(name) => self.queue_id(name).map(Target::Queue),
            Destination::Topic(name) => self.topic_id(name).map(Target::Topic),
        }
    }

    fn make_room(&mut self, shares: &[Share], step: &mut Step<'_>) {
        for share in shares {
            self.with_queue(share.queue, step, |queue, turn| queue.make_room(share.demand, turn));
        }
    }

    fn count_duplicates(&mut self, target: Target, results: &[Published]) {
        let duplicates = results.iter().filter(|result| result.duplicate).count() as u64;
        if let Target::Queue(id) = target
            && duplicates > 0
            && let Some(queue) = self.queues.get_mut(&id)
        {
            queue.count(|counters| counters.duplicates += duplicates);
        }
    }

    /// Counts what single subscribers missed.
    fn count_missed(&mut self, target: Target, shares: &[Share], step: &mut Step<'_>) {
        let Target::Topic(id) = target else { return };
        let topic = self.topics.get_mut(&id).expect("the target was found");
        for share in shares.iter().filter(|share| !share.missed.is_empty()) {
            if let Some(subscription) = topic.subscriptions.get_mut(&share.queue) {
                subscription.dropped += share.missed.len() as u64;
            }
            let record = topic.subscription_record(share.queue);
            step.effects.changes.extend(record.map(Change::SubscriptionPut));
        }
    }

    fn finish_publish(&mut self, target: Target, shares: &[Share], step: &mut Step<'_>) {
        for share in shares {
            self.close_step(share.queue, step);
        }
        if let Target::Topic(id) = target {
            self.close_topic(id);
        }
    }
}
