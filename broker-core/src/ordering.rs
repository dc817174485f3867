//! The line in which a queue's messages wait: which of them may be handed out next, by the order that the
//! queue keeps, and which wait for a time, for their turn, or for the end of a lease on their key.

use std::collections::{BTreeMap, BTreeSet};

use units::Timestamp;

use crate::{identity::Sequence, message::LaneKey, view::Position};

/// A waiting message as the line knows it. `lane` is what order it keeps with others, if any.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    pub(crate) position: Position,
    pub(crate) lane: Option<LaneKey>,
    pub(crate) available_at: Timestamp,
}

/// The waiting line. Every waiting message stands in exactly one of `ready` and `held_back`.
///
/// A lane is held by its leased message, else by its head: the oldest that waits or backs off. Only a
/// head that is not backing off, of a lane without a leased message, stands in `ready`. A delayed publish
/// joins its lane when it is due.
#[derive(Debug, Default)]
pub(crate) struct Line {
    ready: BTreeSet<Position>,
    held_back: BTreeSet<Position>,
    /// Those that wait for a time, by that time.
    later: BTreeSet<(Timestamp, Sequence)>,
    /// Those that keep an order, and when each is available.
    lanes: BTreeMap<(LaneKey, Position), Timestamp>,
    /// The lanes of which a message is leased.
    leased: BTreeSet<LaneKey>,
    /// Whether a message became ready since [`Self::take_woken`] was asked.
    woken: bool,
}

impl Line {
    /// How many wait, whatever for.
    pub(crate) fn len(&self) -> usize {
        self.ready.len() + self.held_back.len()
    }

    /// How many wait for a time.
    pub(crate) fn delayed(&self) -> usize {
        self.later.len()
    }

    /// Whether a waiting message waits for that time.
    pub(crate) fn is_delayed(&self, available_at: Timestamp, sequence: Sequence) -> bool {
        self.later.contains(&(available_at, sequence))
    }

    /// Adds a message: a new one, or one that comes back to its place.
    pub(crate) fn insert(&mut self, waiting: Waiting, now: Timestamp) {
        let Waiting { position, lane, available_at } = waiting;
        if available_at > now {
            self.later.insert((available_at, position.sequence));
            self.held_back.insert(position);
            if let Some(lane) = lane.filter(|_| position.at <= now) {
                self.join_lane(lane, position, available_at);
            }
        } else if let Some(lane) = lane {
            self.held_back.insert(position);
            self.join_lane(lane, position, available_at);
        } else {
            self.ready.insert(position);
            self.woken = true;
        }
    }

    /// Takes a message out that will not be handed out: it expired, or was dropped or removed.
    pub(crate) fn remove(&mut self, waiting: Waiting) {
        let Waiting { position, lane, available_at } = waiting;
        self.later.remove(&(available_at, position.sequence));
        match lane {
            Some(lane) if self.lanes.contains_key(&(lane, position)) => {
                self.withdraw_head(lane);
                self.lanes.remove(&(lane, position));
                self.held_back.remove(&position);
                self.offer_head(lane);
            }
            _ => {
                let _ = self.ready.remove(&position) || self.held_back.remove(&position);
            }
        }
    }

    /// The first message that may be handed out.
    pub(crate) fn first_ready(&self) -> Option<Position> {
        self.ready.first().copied()
    }

    /// All that may be handed out now, in order.
    pub(crate) fn ready(&self) -> impl Iterator<Item = Position> + '_ {
        self.ready.iter().copied()
    }

    /// Takes a ready message to be handed out; its lane is held until [`Self::free_lane`].
    pub(crate) fn take(&mut self, position: Position, lane: Option<LaneKey>) {
        self.ready.remove(&position);
        if let Some(lane) = lane {
            self.lanes.remove(&(lane, position));
            self.leased.insert(lane);
        }
    }

    /// The leased message of a lane is gone for good: the next one's turn.
    pub(crate) fn free_lane(&mut self, lane: Option<LaneKey>) {
        if let Some(lane) = lane {
            self.leased.remove(&lane);
            self.offer_head(lane);
        }
    }

    /// A leased message comes back to its place, and holds its lane from there.
    pub(crate) fn put_back(&mut self, waiting: Waiting, now: Timestamp) {
        if let Some(lane) = waiting.lane {
            self.leased.remove(&lane);
        }
        self.insert(waiting, now);
    }

    /// Marks a lane as held by a message that a restored lease names.
    pub(crate) fn hold_lane(&mut self, lane: Option<LaneKey>) {
        if let Some(lane) = lane {
            self.withdraw_head(lane);
            self.leased.insert(lane);
        }
    }

    /// When the next one that waits for a time is due.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.later.first().map(|(at, _)| *at)
    }

    /// The next one whose time has come; to be handed to [`Self::came_due`].
    pub(crate) fn pop_due(&mut self, now: Timestamp) -> Option<Sequence> {
        let first = self.later.first().copied().filter(|(at, _)| *at <= now)?;
        self.later.remove(&first);
        Some(first.1)
    }

    /// A message's delay or backoff is over.
    pub(crate) fn came_due(&mut self, waiting: Waiting) {
        match waiting.lane {
            None => {
                self.held_back.remove(&waiting.position);
                self.ready.insert(waiting.position);
                self.woken = true;
            }
            Some(lane) => self.join_lane(lane, waiting.position, waiting.available_at),
        }
    }

    /// The oldest that waits, whatever for.
    pub(crate) fn oldest(&self) -> Option<Position> {
        [self.ready.first(), self.held_back.first()].into_iter().flatten().min().copied()
    }

    /// Whether a message became ready since this was last asked.
    pub(crate) fn take_woken(&mut self) -> bool {
        std::mem::take(&mut self.woken)
    }

    /// All that wait after a position, in order.
    pub(crate) fn after(&self, after: Option<Position>) -> impl Iterator<Item = Position> + '_ {
        let bounds = (bound_after(after), std::ops::Bound::Unbounded);
        merge(self.ready.range(bounds).copied(), self.held_back.range(bounds).copied())
    }

    /// Those that wait for a time, by that time.
    pub(crate) fn later_after(
        &self,
        after: Option<Position>,
    ) -> impl Iterator<Item = (Timestamp, Sequence)> + '_ {
        let after = after.map(|position| (position.at, position.sequence));
        self.later.range((bound_after(after), std::ops::Bound::Unbounded)).copied()
    }

    fn join_lane(&mut self, lane: LaneKey, position: Position, available_at: Timestamp) {
        self.withdraw_head(lane);
        self.lanes.insert((lane, position), available_at);
        self.offer_head(lane);
    }

    fn head(&self, lane: LaneKey) -> Option<(Position, Timestamp)> {
        let first = Position { at: Timestamp::default(), sequence: Sequence(0) };
        let ((of, position), available_at) = self.lanes.range((lane, first)..).next()?;
        (*of == lane).then_some((*position, *available_at))
    }

    /// Before a lane changes: its head steps back from `ready`.
    fn withdraw_head(&mut self, lane: LaneKey) {
        if let Some((head, _)) = self.head(lane)
            && self.ready.remove(&head)
        {
            self.held_back.insert(head);
        }
    }

    /// After a lane changed: its head steps forward if nothing stands against it.
    fn offer_head(&mut self, lane: LaneKey) {
        if self.leased.contains(&lane) {
            return;
        }
        if let Some((head, available_at)) = self.head(lane)
            && !self.later.contains(&(available_at, head.sequence))
        {
            self.held_back.remove(&head);
            self.ready.insert(head);
            self.woken = true;
        }
    }
}

/// The bound of what comes after a value, or of everything.
pub(crate) fn bound_after<T>(after: Option<T>) -> std::ops::Bound<T> {
    after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded)
}

/// Two sorted runs as one.
pub(crate) fn merge<T: Ord>(
    left: impl Iterator<Item = T>,
    right: impl Iterator<Item = T>,
) -> impl Iterator<Item = T> {
    let (mut left, mut right) = (left.peekable(), right.peekable());
    std::iter::from_fn(move || match (left.peek(), right.peek()) {
        (Some(l), Some(r)) if r < l => right.next(),
        (Some(_), _) => left.next(),
        (None, _) => right.next(),
    })
}
