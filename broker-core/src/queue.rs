//! One queue: its settings and counters, and where each of its copies is: in the waiting line, leased, or
//! among the dead letters. The steps from one to another are in the files below and in `dead_letter`.

mod browsing;
mod due;
mod limits;
mod receiving;
mod settling;

use std::collections::BTreeSet;

use units::Timestamp;

use crate::{
    activity::ActivityKind,
    change::QueueRecord,
    counters::{QueueCounters, QueueGauges},
    deduplication::{Deduplication, Window},
    identity::{Name, QueueId, Sequence},
    lease::Leases,
    message::{Copy, LaneKey, Message, Messages, State},
    ordering::{Line, Waiting},
    settings::{Ordering, QueueSettings},
    slab::Slot,
    turn::Turn,
    view::Position,
};

pub(crate) use limits::{Demand, NoRoom};
pub(crate) use settling::Ended;

/// A queue.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) id: QueueId,
    pub(crate) name: Name,
    pub(crate) settings: QueueSettings,
    pub(crate) counters: QueueCounters,
    pub(crate) line: Line,
    pub(crate) leases: Leases,
    pub(crate) leased: BTreeSet<Position>,
    leased_bytes: u64,
    /// The waiting messages that have a TTL, by when it passes.
    pub(crate) expiring: BTreeSet<(Timestamp, Sequence)>,
    /// The dead letters, by since when.
    pub(crate) dead: BTreeSet<(Timestamp, Sequence)>,
    /// Bytes of what waits or is leased.
    bytes: u64,
    pub(crate) remembered: Deduplication,
    /// Whether a counter changed since [`Self::take_counted`] was asked.
    counted: bool,
}

impl Queue {
    pub(crate) fn new(record: QueueRecord) -> Self {
        Self {
            id: record.id,
            name: record.name,
            settings: record.settings,
            counters: record.counters,
            line: Line::default(),
            leases: Leases::default(),
            leased: BTreeSet::new(),
            leased_bytes: 0,
            expiring: BTreeSet::new(),
            dead: BTreeSet::new(),
            bytes: 0,
            remembered: Deduplication::default(),
            counted: false,
        }
    }

    pub(crate) fn record(&self) -> QueueRecord {
        QueueRecord {
            id: self.id,
            name: self.name.clone(),
            settings: self.settings.clone(),
            counters: self.counters,
        }
    }

    /// How many are ready, leased or delayed.
    pub(crate) fn live(&self) -> u64 {
        (self.line.len() + self.leased.len()) as u64
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.live() == 0 && self.dead.is_empty()
    }

    pub(crate) fn gauges(&self) -> QueueGauges {
        let delayed = self.line.delayed();
        QueueGauges {
            ready: (self.line.len() - delayed) as u64,
            leased: self.leased.len() as u64,
            delayed: delayed as u64,
            dead: self.dead.len() as u64,
            bytes: self.bytes,
        }
    }

    /// How long, and how many, ids of direct publishes are remembered.
    pub(crate) fn window(&self) -> Window {
        Window { length: self.settings.deduplication_window, max_ids: self.settings.max_deduplication_ids }
    }

    /// Changes counters.
    pub(crate) fn count(&mut self, change: impl FnOnce(&mut QueueCounters)) {
        change(&mut self.counters);
        self.counted = true;
    }

    /// Whether a counter changed since this was last asked.
    pub(crate) fn take_counted(&mut self) -> bool {
        std::mem::take(&mut self.counted)
    }

    /// What order a message keeps here with others, if any.
    pub(crate) fn lane(&self, message: &Message) -> Option<LaneKey> {
        match self.settings.ordering {
            Ordering::None => None,
            Ordering::Key => message.lane,
            Ordering::Fifo => Some(LaneKey::WHOLE),
        }
    }

    /// A copy that waits, as the line knows it.
    pub(crate) fn waiting(&self, slot: Slot<Copy>, messages: &Messages) -> Waiting {
        let copy = messages.copy(slot);
        let State::Waiting { available_at } = copy.state else {
            unreachable!("only waiting copies stand in the line");
        };
        let lane = self.lane(messages.message(copy.message));
        Waiting { position: messages.position(slot), lane, available_at }
    }

    /// Takes a new copy in, or a redriven one: it waits from now on.
    pub(crate) fn admit(&mut self, slot: Slot<Copy>, turn: &Turn<'_>) {
        self.count_in(slot, turn.messages);
        let waiting = self.waiting(slot, turn.messages);
        self.line.insert(waiting, turn.now);
        self.watch_expiry(slot, turn.messages);
    }

    /// Takes a waiting copy out of the line, because it will not be handed out.
    pub(crate) fn leave_line(&mut self, slot: Slot<Copy>, messages: &Messages) {
        self.line.remove(self.waiting(slot, messages));
        self.unwatch_expiry(slot, messages);
    }

    /// Removes a waiting copy for good.
    pub(crate) fn remove_waiting(&mut self, slot: Slot<Copy>, what: ActivityKind, turn: &mut Turn<'_>) {
        self.leave_line(slot, turn.messages);
        turn.note_plainly(what, slot);
        self.remove_live(slot, turn);
    }

    /// Removes a copy for good that was waiting or leased and stands in none of the sets any more.
    pub(crate) fn remove_live(&mut self, slot: Slot<Copy>, turn: &mut Turn<'_>) {
        self.count_out(slot, turn.messages);
        let change = turn.messages.remove_copy(slot);
        turn.write(change);
    }

    /// Counts a copy's bytes, because it is no dead letter.
    pub(crate) fn count_in(&mut self, slot: Slot<Copy>, messages: &Messages) {
        self.bytes += u64::from(messages.message_of(slot).size);
    }

    /// Counts a copy's bytes off, because it is a dead letter now, or goes.
    pub(crate) fn count_out(&mut self, slot: Slot<Copy>, messages: &Messages) {
        self.bytes -= u64::from(messages.message_of(slot).size);
    }

    pub(crate) fn watch_expiry(&mut self, slot: Slot<Copy>, messages: &Messages) {
        if let Some(at) = messages.copy(slot).expires() {
            self.expiring.insert((at, messages.message_of(slot).sequence));
        }
    }

    pub(crate) fn unwatch_expiry(&mut self, slot: Slot<Copy>, messages: &Messages) {
        if let Some(at) = messages.copy(slot).expires() {
            self.expiring.remove(&(at, messages.message_of(slot).sequence));
        }
    }

    /// Notes in the indexes that a copy is leased.
    pub(crate) fn note_leased(&mut self, slot: Slot<Copy>, messages: &Messages) {
        self.leased.insert(messages.position(slot));
        self.leased_bytes += u64::from(messages.message_of(slot).size);
    }

    /// Takes a copy out of the index of the leased.
    pub(crate) fn note_unleased(&mut self, slot: Slot<Copy>, messages: &Messages) {
        self.leased.remove(&messages.position(slot));
        self.leased_bytes -= u64::from(messages.message_of(slot).size);
    }

    /// Takes a restored copy into the indexes, by the state that it has.
    pub(crate) fn adopt(&mut self, slot: Slot<Copy>, turn: &Turn<'_>) {
        match turn.messages.copy(slot).state {
            State::Waiting { .. } => self.admit(slot, turn),
            State::Leased(_) => {
                self.count_in(slot, turn.messages);
                self.note_leased(slot, turn.messages);
                self.line.hold_lane(self.lane(turn.messages.message_of(slot)));
            }
            State::Dead { since } => {
                self.dead.insert((since, turn.messages.message_of(slot).sequence));
            }
            State::Retained => unreachable!("what is retained is a topic's"),
        }
    }

    /// The oldest that is ready or delayed, whatever it waits for.
    pub(crate) fn oldest_waiting(&self, messages: &Messages) -> Option<Slot<Copy>> {
        self.line.oldest().map(|position| messages.copy_in(position.sequence, self.id))
    }
}
