//! How much a queue takes and for how long: what fits, what never can, the oldest giving way to the new, and
//! the longest TTL.

use std::time::Duration;

use crate::{activity::ActivityKind, dead_letter::Failure, queue::Queue, settings::Overflow, turn::Turn};

/// What is to be placed in a queue together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Demand {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
}

impl Demand {
    /// This and one more message of that size.
    #[must_use]
    pub(crate) fn and(self, size: u32) -> Self {
        Self { messages: self.messages + 1, bytes: self.bytes + u64::from(size) }
    }
}

/// Why a queue can't take something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoRoom {
    /// Not now.
    Full,
    /// Never, by that setting.
    Never(&'static str),
}

impl Queue {
    /// How long a message with that TTL of its own may wait here: no longer than the queue's.
    pub(crate) fn capped_ttl(&self, own: Option<Duration>) -> Option<Duration> {
        [own, self.settings.ttl].into_iter().flatten().min()
    }

    /// Whether all of that fits, the oldest giving way where the queue is set so.
    pub(crate) fn room_for(&self, demand: Demand) -> Result<(), NoRoom> {
        if demand.messages == 0 {
            return Ok(());
        }
        let (max_messages, max_bytes) = (self.settings.max_messages, self.settings.max_bytes.get());
        if demand.messages > max_messages {
            return Err(NoRoom::Never("max_messages"));
        }
        if demand.bytes > max_bytes {
            return Err(NoRoom::Never("max_bytes"));
        }
        let (stay, stay_bytes) = match self.settings.overflow {
            Overflow::Reject => (self.live(), self.bytes),
            Overflow::DropOldest | Overflow::DeadLetterOldest => {
                (self.leased.len() as u64, self.leased_bytes)
            }
        };
        let fits = stay + demand.messages <= max_messages && stay_bytes + demand.bytes <= max_bytes;
        if fits { Ok(()) } else { Err(NoRoom::Full) }
    }

    /// Whether a message of that size can never fit, however empty the queue is.
    pub(crate) fn never_takes(&self, size: u32) -> bool {
        u64::from(size) > self.settings.max_bytes.get()
    }

    /// Lets the oldest waiting messages give way until all of that fits; [`Self::room_for`] said it can.
    pub(crate) fn make_room(&mut self, demand: Demand, turn: &mut Turn<'_>) {
        if self.settings.overflow == Overflow::Reject || demand.messages == 0 {
            return;
        }
        while !self.has_free_room(demand) {
            let Some(oldest) = self.oldest_waiting(turn.messages) else { return };
            if self.settings.overflow == Overflow::DropOldest {
                self.remove_waiting(oldest, ActivityKind::Dropped, turn);
                self.count(|counters| counters.dropped += 1);
            } else {
                self.leave_line(oldest, turn.messages);
                self.die(oldest, Failure::without_delivery("queue was full"), turn);
            }
        }
    }

    /// Whether all of that fits beside what is there.
    pub(crate) fn has_free_room(&self, demand: Demand) -> bool {
        self.live() + demand.messages <= self.settings.max_messages
            && self.bytes + demand.bytes <= self.settings.max_bytes.get()
    }
}
