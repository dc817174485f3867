//! A message's copy in one queue: where it stands, and what its deliveries left behind.

use std::time::Duration;

use units::Timestamp;

use super::Message;
use crate::{
    change::{CopyRecord, CopyState},
    identity::{LeaseId, QueueId, Sequence},
    slab::Slot,
};

/// A message's copy in one queue.
#[derive(Debug)]
pub(crate) struct Copy {
    pub(crate) message: Slot<Message>,
    pub(crate) queue: QueueId,
    /// The next in the chain of its message's copies.
    pub(super) next: Option<Slot<Self>>,
    /// When it could first be received: its place in the queue's order.
    pub(crate) position_at: Timestamp,
    /// When it expires while it waits; [`Timestamp::MAX`] for never.
    pub(crate) expires_at: Timestamp,
    pub(crate) state: State,
    pub(super) trail: Option<Box<Trail>>,
}

/// Where a copy is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It waits; ready from that time on.
    Waiting { available_at: Timestamp },
    /// It is handed out under that lease.
    Leased(LeaseId),
    /// It is a dead letter since that time.
    Dead { since: Timestamp },
    /// A topic keeps it for replay: `queue` is the topic's number.
    Retained,
}

/// What deliveries leave behind on a copy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trail {
    /// How many deliveries count, that under way included.
    pub(crate) delivery_count: u32,
    pub(crate) failures: u32,
    pub(crate) redrive_count: u32,
    pub(crate) first_delivered_at: Option<Timestamp>,
    pub(crate) first_failed_at: Option<Timestamp>,
    pub(crate) last_failed_at: Option<Timestamp>,
    /// When the delivery under way runs out; without meaning when there is none.
    pub(crate) lease_expires_at: Timestamp,
    pub(crate) ended_lease: Option<LeaseId>,
    pub(crate) ended_by_nack: bool,
    /// Whether it came into the queue by a replay.
    pub(crate) replayed: bool,
    /// How long it may wait, when a redrive started that again; else it follows from the position.
    pub(crate) restarted_ttl: Option<Duration>,
}

static UNTOUCHED: Trail = Trail {
    delivery_count: 0,
    failures: 0,
    redrive_count: 0,
    first_delivered_at: None,
    first_failed_at: None,
    last_failed_at: None,
    lease_expires_at: Timestamp::MAX,
    ended_lease: None,
    ended_by_nack: false,
    replayed: false,
    restarted_ttl: None,
};

impl Copy {
    pub(crate) fn trail(&self) -> &Trail {
        self.trail.as_deref().unwrap_or(&UNTOUCHED)
    }

    pub(crate) fn trail_mut(&mut self) -> &mut Trail {
        self.trail.get_or_insert_default()
    }

    /// How long it may wait from when it can be received.
    pub(crate) fn ttl(&self) -> Option<Duration> {
        let first = (self.expires_at < Timestamp::MAX).then(|| self.expires_at.since(self.position_at));
        self.trail().restarted_ttl.or(first)
    }

    pub(crate) fn expires(&self) -> Option<Timestamp> {
        (self.expires_at < Timestamp::MAX).then_some(self.expires_at)
    }

    /// Its record, to be written now; it is not leased.
    pub(super) fn record(&self, sequence: Sequence) -> CopyRecord {
        let trail = self.trail();
        let (state, delivery_count) = match self.state {
            State::Waiting { available_at } => (CopyState::Waiting { available_at }, trail.delivery_count),
            State::Dead { since } => (CopyState::Dead { since }, trail.delivery_count),
            State::Leased(_) => unreachable!("a leased copy is on record through its lease"),
            State::Retained => unreachable!("a retained copy is on record through its placement"),
        };
        CopyRecord {
            sequence,
            queue: self.queue,
            state,
            position_at: self.position_at,
            expires_at: self.expires(),
            ttl: self.ttl(),
            delivery_count,
            failures: trail.failures,
            redrive_count: trail.redrive_count,
            first_delivered_at: trail.first_delivered_at,
            first_failed_at: trail.first_failed_at,
            last_failed_at: trail.last_failed_at,
            ended_lease: trail.ended_lease,
            ended_by_nack: trail.ended_by_nack,
            replayed: trail.replayed,
        }
    }

    /// Takes over what the store kept of it.
    pub(super) fn restore(&mut self, record: &CopyRecord) {
        self.position_at = record.position_at;
        self.expires_at = record.expires_at.unwrap_or(Timestamp::MAX);
        self.state = match record.state {
            CopyState::Waiting { available_at } => State::Waiting { available_at },
            CopyState::Dead { since } => State::Dead { since },
        };
        *self.trail_mut() = Trail {
            delivery_count: record.delivery_count,
            failures: record.failures,
            redrive_count: record.redrive_count,
            first_delivered_at: record.first_delivered_at,
            first_failed_at: record.first_failed_at,
            last_failed_at: record.last_failed_at,
            lease_expires_at: Timestamp::MAX,
            ended_lease: record.ended_lease,
            ended_by_nack: record.ended_by_nack,
            replayed: record.replayed,
            restarted_ttl: record.ttl,
        };
    }
}
