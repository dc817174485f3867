//! Having the core decide the calls of a group, and gathering what their answers show. Nothing here is
//! on disk yet, and nobody hears of a decision.

use std::sync::Arc;

use broker_core::{
    change::Change,
    command::{Command, Receive},
    identity::{QueueId, Sequence},
    reply::{Delivered, Refusal, Reply},
};
use units::Timestamp;

use super::{
    Engine,
    chooser::Undecided,
    damage::Records,
    group::{Ask, Decided, Place},
    handout::{Delivery, Taken},
    parked::Waiter,
};
use crate::{error::BrokerError, store::StoreError};

/// Why a copy last failed, by what the group under way decided.
#[derive(Clone, Debug)]
pub(super) enum FreshReason {
    /// It failed in this group.
    Known(Option<Arc<str>>),
    /// It was moved here from that queue, under which the store still has its failures.
    StoredUnder(QueueId),
}

/// What a receive takes, with the records that had to be read.
type Outgoing = (Vec<Delivered>, Records);

impl Engine {
    /// Decides what fell due, and then every call in order. A receive that waits is not among the
    /// answers: it is parked.
    pub(super) fn decide(&mut self, asks: Vec<Ask>, now: Timestamp) -> Result<Vec<Decided>, StoreError> {
        let mut decided = Vec::with_capacity(asks.len());
        self.try_again();
        if !self.is_paused() {
            self.core.tick(now, &mut self.effects);
            self.note_changes();
        }
        self.wake(now, &mut decided)?;
        self.give_up_overdue(&mut decided);
        for ask in asks {
            decided.extend(self.decide_one(ask, now)?);
            self.wake(now, &mut decided)?;
        }
        Ok(decided)
    }

    fn decide_one(&mut self, ask: Ask, now: Timestamp) -> Result<Option<Decided>, StoreError> {
        match ask {
            Ask::Command { command: command @ Command::Publish(_), reply, arrived, .. } => {
                let result = self.check_room()?.and_then(|()| self.apply(command, now));
                Ok(Some(Decided::Publish { reply, arrived, result }))
            }
            Ask::Command { mut command, note, reply, arrived, few } => {
                if !self.choose_few(&mut command, few)? {
                    self.chooser.begin(Undecided { command, note, reply, arrived, few });
                    return Ok(None);
                }
                let before = self.effects.changes.len();
                let result = self.apply(command.clone(), now);
                if let (Some(note), Ok(reply)) = (&note, &result) {
                    let changes = &self.effects.changes[before..];
                    let told = note.record(reply, changes, now, &mut self.next_audit);
                    self.effects.changes.extend(told.map(Change::Audited));
                }
                Ok(Some(Decided::Command { command, note, reply, arrived, result }))
            }
            // Whoever asked has gone while the receive stood in line.
            Ask::Receive(waiter, None) if waiter.reply.is_closed() => Ok(None),
            Ask::Receive(waiter, place) => self.decide_receive(waiter, place, now),
            Ask::Note(note, noted) => {
                let item = note.of_what_is_done(now, &mut self.next_audit);
                self.effects.changes.push(Change::Audited(item));
                Ok(Some(Decided::Note(note, noted)))
            }
            Ask::GiveBack(nack) => {
                // Refused when the queue is gone by now, and its messages with it.
                drop(self.apply(Command::Nack(nack.clone()), now));
                Ok(Some(Decided::GiveBack(nack)))
            }
        }
    }

    fn decide_receive(
        &mut self,
        waiter: Waiter,
        place: Place,
        now: Timestamp,
    ) -> Result<Option<Decided>, StoreError> {
        let nothing = Taken::nothing(&self.answers);
        let result = match self.take(&waiter.receive, now)? {
            Ok(None) => return Ok(self.put_off(waiter, place)),
            Ok(Some((delivered, _))) if delivered.is_empty() => match self.park(waiter, place) {
                None => return Ok(None),
                Some(waiter) => return Ok(Some(Decided::Receive { waiter, place, result: Ok(nothing) })),
            },
            Ok(Some((delivered, records))) => {
                Ok(Taken::new(self.deliveries(&waiter, delivered, records)?, &self.answers))
            }
            Err(error) => Err(error),
        };
        Ok(Some(Decided::Receive { waiter, place, result }))
    }

    /// Takes messages out of a queue, no more than there is memory for, with their records where those had to
    /// be read. Where clients do not read their answers, no memory is left in the end. `None` when so much has
    /// expired that it is to be tried again in the next group.
    fn take(
        &mut self,
        receive: &Receive,
        now: Timestamp,
    ) -> Result<Result<Option<Outgoing>, BrokerError>, StoreError> {
        let left = self.answers.left() as u64;
        if left == 0 {
            return Ok(Err(BrokerError::Busy));
        }
        let receive = Receive { max_bytes: receive.max_bytes.min(left), ..receive.clone() };
        let Some(records) = self.read_ahead(&receive, now)? else {
            return Ok(Ok(None));
        };
        Ok(self.apply(Command::Receive(receive), now).map(|reply| match reply {
            Reply::Delivered(delivered) => Some((delivered, records)),
            _ => Some((Vec::new(), records)),
        }))
    }

    /// Lets a receive that found nothing wait; gives it back when its time is over.
    pub(super) fn park(&mut self, waiter: Waiter, place: Place) -> Option<Waiter> {
        let now = self.clock.instant_now();
        let Some(until) = waiter.until.filter(|until| !self.draining && *until > now) else {
            return Some(waiter);
        };
        match place {
            Some((queue, ticket)) => self.parked.put(queue, ticket, until, waiter),
            None => match self.core.queue(&waiter.receive.queue).map(|queue| queue.id) {
                Some(queue) => self.parked.park(queue, until, waiter),
                None => return Some(waiter),
            },
        }
        None
    }

    /// Tries the parked receives of every queue in which a message became ready, first come, first
    /// served.
    fn wake(&mut self, now: Timestamp, decided: &mut Vec<Decided>) -> Result<(), StoreError> {
        while let Some(queue) = self.effects.woken.pop() {
            while let Some((ticket, waiter)) = self.parked.next_in(queue) {
                match self.decide_receive(waiter, Some((queue, ticket)), now)? {
                    Some(receive) => decided.push(receive),
                    // It was put back: there is nothing for it, nor for those behind it.
                    None => break,
                }
            }
        }
        Ok(())
    }

    /// Answers parked receives whose time is over with nothing.
    fn give_up_overdue(&mut self, decided: &mut Vec<Decided>) {
        let now = self.clock.instant_now();
        while let Some(waiter) = self.parked.next_overdue(now) {
            decided.push(Decided::Receive { waiter, place: None, result: Ok(Taken::nothing(&self.answers)) });
        }
    }

    pub(super) fn apply(&mut self, command: Command, now: Timestamp) -> Result<Reply, BrokerError> {
        let result: Result<Reply, Refusal> = self.core.apply(command, now, &mut self.effects);
        self.note_changes();
        Ok(result?)
    }

    /// Keeps from new changes what later calls of the same group may need before the store has it.
    pub(super) fn note_changes(&mut self) {
        for change in &self.effects.changes[self.noted..] {
            match change {
                Change::MessagePut(message, record) => self.bodies.put(message.sequence, record.clone()),
                Change::FailurePut(failure) => {
                    let reason = FreshReason::Known(failure.reason.clone());
                    self.reasons.insert((failure.queue, failure.sequence), reason);
                }
                Change::FailuresMoved { sequence, from, to } => {
                    let known = self.reasons.get(&(*from, *sequence)).cloned();
                    self.reasons.insert((*to, *sequence), known.unwrap_or(FreshReason::StoredUnder(*from)));
                }
                // Whoever waits there hears that it is gone.
                Change::QueueGone(queue) => self.effects.woken.push(*queue),
                _ => {}
            }
        }
        self.noted = self.effects.changes.len();
    }

    fn deliveries(
        &mut self,
        waiter: &Waiter,
        delivered: Vec<Delivered>,
        mut records: Records,
    ) -> Result<Vec<Delivery>, StoreError> {
        let queue = self.core.queue(&waiter.receive.queue).map(|queue| queue.id);
        let with_all = |delivered: Delivered| {
            let Some(record) = self.record_of_delivery(delivered.sequence, &mut records)? else {
                return Ok(None);
            };
            let last_reason = match queue {
                Some(queue) if delivered.failed_before => self.last_reason(queue, delivered.sequence)?,
                _ => None,
            };
            Ok(Some(Delivery { delivered, record, last_reason }))
        };
        delivered.into_iter().map(with_all).filter_map(Result::transpose).collect()
    }

    fn last_reason(&mut self, queue: QueueId, sequence: Sequence) -> Result<Option<Arc<str>>, StoreError> {
        match self.reasons.get(&(queue, sequence)) {
            Some(FreshReason::Known(reason)) => Ok(reason.clone()),
            Some(FreshReason::StoredUnder(queue)) => self.store.last_reason(*queue, sequence),
            None => self.store.last_reason(queue, sequence),
        }
    }
}
