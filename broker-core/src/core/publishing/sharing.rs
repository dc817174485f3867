//! Who gets what: each queue that a publish goes to is asked whether the new messages fit, before anything is
//! changed.

use super::Target;
use crate::{
    command::NewMessage,
    core::{Core, RETRY_WHEN_FULL, Step},
    identity::QueueId,
    queue::{Demand, NoRoom, Queue},
    reply::Refusal,
    settings::{OnFull, Overflow},
    topic::Subscription,
};

/// What one queue does with the new messages.
pub(in crate::core) struct Share {
    pub(super) queue: QueueId,
    pub(super) on_full: OnFull,
    /// Which of the new messages, counted alone, its filter passes over.
    pub(super) unwanted: Vec<usize>,
    /// Which of the new messages, counted alone, it can't take; they miss it by `on_full`.
    pub(in crate::core) missed: Vec<usize>,
    /// What it takes.
    pub(in crate::core) demand: Demand,
}

impl Share {
    /// What becomes of the `index`-th new message here.
    pub(in crate::core) fn fate(&self, index: usize) -> Fate {
        match self.on_full {
            _ if self.unwanted.binary_search(&index).is_ok() => Fate::Unwanted,
            _ if self.missed.binary_search(&index).is_err() => Fate::Waits,
            OnFull::DeadLetter => Fate::Dies,
            OnFull::Drop | OnFull::Reject => Fate::Dropped,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::core) enum Fate {
    Waits,
    Dies,
    Dropped,
    Unwanted,
}

impl Fate {
    /// Whether the queue keeps the message, if only as a dead letter.
    pub(in crate::core) const fn is_kept(self) -> bool {
        matches!(self, Self::Waits | Self::Dies)
    }
}

impl Core {
    /// Asks every queue; a refusal is counted where it was refused.
    pub(super) fn plan<'a, I: Iterator<Item = &'a NewMessage>>(
        &mut self,
        target: Target,
        new: &impl Fn() -> I,
        step: &mut Step<'_>,
    ) -> Result<Vec<Share>, Refusal> {
        let mut shares = Vec::new();
        for (queue, on_full, unwanted) in self.subscribers(target, new) {
            let wanted = || new().enumerate().filter(|(index, _)| unwanted.binary_search(index).is_err());
            let sizes = || wanted().map(|(index, message)| (index, message.size));
            let share = self.share(queue, on_full, sizes, step)?;
            shares.push(Share { unwanted, ..share });
        }
        Ok(shares)
    }

    /// What a queue does with messages of these sizes; where they do not all fit, and it may not miss any, all are
    /// refused, and the refusal counted.
    pub(in crate::core) fn share<I: Iterator<Item = (usize, u32)>>(
        &mut self,
        queue: QueueId,
        on_full: OnFull,
        sizes: impl Fn() -> I,
        step: &mut Step<'_>,
    ) -> Result<Share, Refusal> {
        let demand = sizes().fold(Demand::default(), |demand, (_, size)| demand.and(size));
        let (missed, demand) = match (self.queues[&queue].room_for(demand), on_full) {
            (Ok(()), _) => (Vec::new(), demand),
            (Err(no_room), OnFull::Reject) => {
                return Err(self.reject(queue, demand.messages, no_room, step));
            }
            (Err(_), _) => self.queues[&queue].take_in_part(sizes()),
        };
        Ok(Share { queue, on_full, unwanted: Vec::new(), missed, demand })
    }

    /// The queues that a publish goes to, each with which of the new messages its filter passes over.
    fn subscribers<'a, I: Iterator<Item = &'a NewMessage>>(
        &self,
        target: Target,
        new: &impl Fn() -> I,
    ) -> Vec<(QueueId, OnFull, Vec<usize>)> {
        let topic = match target {
            Target::Queue(id) => return vec![(id, OnFull::Reject, Vec::new())],
            Target::Topic(id) => &self.topics[&id],
        };
        let subscriber = |(queue, subscription): (&QueueId, &Subscription)| {
            let unwanted = subscription.filter.as_ref().map_or_else(Vec::new, |filter| {
                let passed_over = new().enumerate().filter(|(_, it)| !filter.matches(&it.attributes));
                passed_over.map(|(index, _)| index).collect()
            });
            (*queue, subscription.on_full, unwanted)
        };
        topic.subscriptions.iter().map(subscriber).collect()
    }

    fn reject(&mut self, queue: QueueId, messages: u64, no_room: NoRoom, step: &mut Step<'_>) -> Refusal {
        self.with_queue(queue, step, |queue, _| {
            queue.count(|counters| counters.rejected += messages);
            let name = queue.name.clone();
            match no_room {
                NoRoom::Full => Refusal::QueueFull { queue: name, retry_after: RETRY_WHEN_FULL },
                NoRoom::Never(limit) => Refusal::NeverFits { queue: name, limit },
            }
        })
    }
}

/// The first new message, counted alone, that waits in no queue: one that is full and would make it a dead letter
/// misses it.
pub(super) fn first_without_route(shares: &[Share], new: usize) -> Option<usize> {
    (0..new).find(|index| !shares.iter().any(|share| share.fate(*index) == Fate::Waits))
}

impl Queue {
    /// Takes what fits, one after the other; the rest is missed. Where the oldest give way, the newest are what is
    /// taken, as if they had come one by one.
    fn take_in_part(&self, sizes: impl Iterator<Item = (usize, u32)>) -> (Vec<usize>, Demand) {
        let mut sizes: Vec<(usize, u32)> = sizes.collect();
        if self.settings.overflow != Overflow::Reject {
            sizes.reverse();
        }
        let (mut missed, mut demand) = (Vec::new(), Demand::default());
        for (index, size) in sizes {
            let more = demand.and(size);
            match self.room_for(more) {
                Ok(()) => demand = more,
                Err(_) => missed.push(index),
            }
        }
        missed.sort_unstable();
        (missed, demand)
    }
}
