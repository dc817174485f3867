//! The running totals of a queue, kept over restarts, and those of a topic, which begin with the process.

use crate::reply::{Published, Refusal};

/// What happened in a queue since it was made. Always:
/// `published + replayed + redriven_in = ready + leased + delayed + acked + dead_lettered + expired +
/// dropped + purged`, and `dead = dead_lettered - redriven_out - discarded`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct QueueCounters {
    pub published: u64,
    pub replayed: u64,
    pub redriven_in: u64,
    pub redriven_out: u64,
    pub delivered: u64,
    pub redelivered: u64,
    pub acked: u64,
    pub dead_lettered: u64,
    pub discarded: u64,
    pub expired: u64,
    pub dropped: u64,
    pub purged: u64,
    pub rejected: u64,
    pub duplicates: u64,
}

/// What was published to a topic since the broker started, or last undid a group for want of room on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TopicCounters {
    /// Messages, each counted once, that were not duplicates.
    pub published: u64,
    /// Those of them that wait in no queue.
    pub unrouted: u64,
    /// Messages that had been published before.
    pub duplicates: u64,
    /// Messages that were refused because a subscriber had no room, or for want of a required route.
    pub rejected: u64,
}

impl TopicCounters {
    /// Counts a publish of so many messages, by its results.
    pub(crate) fn count(&mut self, messages: u64, published: &Result<Vec<Published>, Refusal>) {
        match published {
            Ok(results) => results.iter().for_each(|result| self.count_one(*result)),
            Err(Refusal::IdReused { .. }) => {}
            Err(_) => self.rejected += messages,
        }
    }

    fn count_one(&mut self, Published { duplicate, queues }: Published) {
        if duplicate {
            self.duplicates += 1;
        } else {
            self.published += 1;
            self.unrouted += u64::from(queues == 0);
        }
    }
}

/// What is in a queue now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct QueueGauges {
    pub ready: u64,
    pub leased: u64,
    pub delayed: u64,
    pub dead: u64,
    /// Bytes of ready, leased and delayed messages.
    pub bytes: u64,
}
