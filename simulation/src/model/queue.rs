//! One queue of the model: a list of copies in the queue's order, and what it remembers.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use broker_core::{
    Why,
    change::FailureRecord,
    counters::{QueueCounters, QueueGauges},
    identity::{LeaseId, Name, QueueId, Selector, Sequence},
    reply::{Refusal, Reply},
    settings::{Ordering, Overflow, QueueSettings},
    view::Position,
};
use units::Timestamp;

use super::{Counters, Message, remembered::Remembered};

/// How long a lease that was live runs again after a restart at the most.
pub(crate) const LONGEST_AFTER_RESTART: Duration = Duration::from_secs(30);

/// Where a copy is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It waits.
    Waiting {
        /// When it is ready.
        available_at: Timestamp,
        /// Whether that time has come.
        due: bool,
        /// Whether it keeps the order of its lane: from when it can first be received.
        in_lane: bool,
    },
    /// It is handed out.
    Leased {
        /// Under which lease.
        lease: LeaseId,
        /// Until when.
        until: Timestamp,
    },
    /// It is a dead letter.
    Dead {
        /// Since when.
        since: Timestamp,
    },
}

/// A message's copy in one queue.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Copy {
    pub message: Arc<Message>,
    /// When it could first be received.
    pub position_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    /// How long it may wait once it can be received.
    pub ttl: Option<Duration>,
    pub state: State,
    pub delivery_count: u32,
    pub redrive_count: u32,
    pub first_delivered_at: Option<Timestamp>,
    pub first_failed_at: Option<Timestamp>,
    pub last_failed_at: Option<Timestamp>,
    /// The latest lease that has ended, and whether a nack ended it.
    pub ended: Option<(LeaseId, bool)>,
    pub replayed: bool,
    pub failures: u32,
    /// The last 50 of them.
    pub history: Vec<Arc<FailureRecord>>,
}

impl Copy {
    pub(super) fn new(
        message: Arc<Message>,
        position_at: Timestamp,
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        Self {
            message,
            position_at,
            expires_at,
            ttl: expires_at.map(|at| at.since(position_at)),
            state: waits(position_at, position_at, now),
            delivery_count: 0,
            redrive_count: 0,
            first_delivered_at: None,
            first_failed_at: None,
            last_failed_at: None,
            ended: None,
            replayed: false,
            failures: 0,
            history: Vec::new(),
        }
    }

    /// Its place in the queue's order.
    #[must_use]
    pub fn position(&self) -> Position {
        Position { at: self.position_at, sequence: self.message.sequence }
    }

    /// Whether it waits.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting { .. })
    }

    /// Whether it is handed out.
    #[must_use]
    pub fn is_leased(&self) -> bool {
        matches!(self.state, State::Leased { .. })
    }

    /// Whether it is a dead letter.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        matches!(self.state, State::Dead { .. })
    }
}

/// The state of a copy that waits from now on.
pub(super) fn waits(available_at: Timestamp, position_at: Timestamp, now: Timestamp) -> State {
    let due = available_at <= now;
    State::Waiting { available_at, due, in_lane: due || position_at <= now }
}

/// Of two TTLs the one that ends first.
pub(super) fn shorter(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    one.into_iter().chain(other).min()
}

/// One receive that handed out messages.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Lease {
    pub receive_id: Option<Arc<str>>,
    pub consumer: Option<Arc<str>>,
    pub leased_at: Timestamp,
    pub length: Duration,
    pub sequences: Vec<Sequence>,
}

/// A queue.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Queue {
    pub id: QueueId,
    pub name: Name,
    pub settings: QueueSettings,
    pub counters: QueueCounters,
    /// In the queue's order.
    pub copies: Vec<Copy>,
    /// Those under which something is leased.
    pub leases: BTreeMap<LeaseId, Lease>,
    pub(super) remembered: Remembered,
}

impl Queue {
    pub(super) fn new(id: QueueId, name: Name, settings: QueueSettings) -> Self {
        Self {
            id,
            name,
            settings,
            counters: Counters::default(),
            copies: Vec::new(),
            leases: BTreeMap::new(),
            remembered: Remembered::default(),
        }
    }

    /// What is in it now.
    #[must_use]
    pub fn gauges(&self) -> QueueGauges {
        let mut gauges = QueueGauges::default();
        for copy in &self.copies {
            match copy.state {
                State::Waiting { due: true, .. } => gauges.ready += 1,
                State::Waiting { due: false, .. } => gauges.delayed += 1,
                State::Leased { .. } => gauges.leased += 1,
                State::Dead { .. } => gauges.dead += 1,
            }
            if !copy.is_dead() {
                gauges.bytes += u64::from(copy.message.size);
            }
        }
        gauges
    }

    pub(super) fn find(&self, sequence: Sequence) -> Option<usize> {
        self.copies.iter().position(|copy| copy.message.sequence == sequence)
    }

    pub(super) fn holds(&self, sequence: Sequence) -> bool {
        self.find(sequence).is_some()
    }

    /// Puts a copy into its place.
    pub(super) fn insert(&mut self, copy: Copy) {
        let place = self.copies.partition_point(|other| other.position() < copy.position());
        self.copies.insert(place, copy);
    }

    /// What order a copy keeps with others, if any.
    pub(crate) fn lane<'a>(&self, copy: &'a Copy) -> Option<&'a str> {
        match self.settings.ordering {
            Ordering::None => None,
            Ordering::Key => copy.message.key.as_deref(),
            Ordering::Fifo => Some("whole queue"),
        }
    }

    /// The first that may be handed out: of each lane only its oldest, and only if none of it is leased.
    pub(super) fn first_ready(&self) -> Option<usize> {
        let leased = self.copies.iter().filter(|copy| copy.is_leased());
        let mut held: Vec<&str> = leased.filter_map(|copy| self.lane(copy)).collect();
        for (place, copy) in self.copies.iter().enumerate() {
            let State::Waiting { due, in_lane, .. } = copy.state else { continue };
            match self.lane(copy).filter(|_| in_lane) {
                Some(lane) if held.contains(&lane) => {}
                Some(_) | None if due => return Some(place),
                Some(lane) => held.push(lane),
                None => {}
            }
        }
        None
    }

    /// Whether so many messages of so many bytes fit beside what must stay.
    pub(super) fn has_room(&self, messages: u64, bytes: u64, must_stay: impl Fn(&Copy) -> bool) -> bool {
        let stays = self.copies.iter().filter(|copy| !copy.is_dead() && must_stay(copy));
        let (count, size) =
            stays.fold((0, 0), |(count, size), copy| (count + 1, size + u64::from(copy.message.size)));
        count + messages <= self.settings.max_messages && size + bytes <= self.settings.max_bytes.get()
    }

    /// Lets the oldest that wait give way.
    pub(super) fn make_room(&mut self, messages: u64, bytes: u64, now: Timestamp) {
        if self.settings.overflow == Overflow::Reject || messages == 0 {
            return;
        }
        while !self.has_room(messages, bytes, |_| true) {
            let Some(oldest) = self.copies.iter().position(Copy::is_waiting) else { return };
            if self.settings.overflow == Overflow::DropOldest {
                self.copies.remove(oldest);
                self.counters.dropped += 1;
            } else {
                self.die_waiting(oldest, "queue was full", now);
            }
        }
    }

    pub(super) fn purge(&mut self, before: Option<Sequence>, limit: Option<u64>) -> u64 {
        let meant =
            |copy: &Copy| copy.is_waiting() && before.is_none_or(|before| copy.message.sequence < before);
        let mut purged = 0;
        self.copies.retain(|copy| {
            let goes = meant(copy) && limit.is_none_or(|limit| purged < limit);
            purged += u64::from(goes);
            !goes
        });
        self.counters.purged += purged;
        purged
    }

    pub(super) fn remove(&mut self, message: Selector) -> Result<Reply, Refusal> {
        let meant = |copy: &Copy| message.id == copy.message.identity.id && !copy.is_dead();
        if self.copies.iter().any(|copy| meant(copy) && copy.is_leased()) {
            return Err(Refusal::MessageLeased);
        }
        let before = self.copies.len();
        self.copies.retain(|copy| !meant(copy));
        let count = (before - self.copies.len()) as u64;
        self.counters.purged += count;
        if count == 0 { Err(Refusal::MessageNotFound) } else { Ok(Reply::Removed { count }) }
    }

    pub(super) fn restart(&mut self, why: Why, now: Timestamp) {
        if why == Why::Start {
            self.leases.values_mut().for_each(|it| it.length = it.length.min(LONGEST_AFTER_RESTART));
        }
        for copy in &mut self.copies {
            copy.state = match copy.state {
                State::Waiting { available_at, .. } => waits(available_at, copy.position_at, now),
                State::Leased { lease, .. } => {
                    State::Leased { lease, until: now.plus(self.leases[&lease].length) }
                }
                dead @ State::Dead { .. } => dead,
            };
        }
    }

    /// Forgets the leases under which nothing is leased any more.
    pub(super) fn close_leases(&mut self) {
        let copies = &self.copies;
        self.leases.retain(|id, _| {
            copies.iter().any(|copy| matches!(copy.state, State::Leased { lease, .. } if lease == *id))
        });
    }
}
