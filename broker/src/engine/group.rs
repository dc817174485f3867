//! One group: decide all that was taken from the line, commit it, and only then answer.

use std::time::Instant;

use broker_core::{
    Why,
    change::{Change, Effects},
    command::{Command, Nack},
    identity::QueueId,
    reply::{Reply, SettleStatus},
};
use units::Timestamp;

use super::{
    Engine,
    choosing::FEW,
    handout::{Handout, Taken},
    line::{Item, NotedSender, ReplySender},
    note::Note,
    parked::{Ticket, Waiter},
};
use crate::{
    error::BrokerError,
    store::{Group, StoreError},
};

/// A parked receive's place in line.
pub(super) type Place = Option<(QueueId, Ticket)>;

/// A call that is to be decided.
pub(super) enum Ask {
    Command { command: Command, note: Option<Box<Note>>, reply: ReplySender, arrived: Instant, few: usize },
    Receive(Waiter, Place),
    Note(Box<Note>, NotedSender),
    GiveBack(Nack),
}

/// A call that was decided and waits for the commit. It keeps what it takes to be decided again, but a
/// publish does not: that is refused when there is no room.
pub(super) enum Decided {
    Publish {
        reply: ReplySender,
        arrived: Instant,
        result: Result<Reply, BrokerError>,
    },
    Command {
        command: Command,
        note: Option<Box<Note>>,
        reply: ReplySender,
        arrived: Instant,
        result: Result<Reply, BrokerError>,
    },
    Receive {
        waiter: Waiter,
        place: Place,
        result: Result<Taken, BrokerError>,
    },
    Note(Box<Note>, NotedSender),
    GiveBack(Nack),
}

impl Engine {
    /// Decides and commits what was taken from the line, and answers it.
    ///
    /// # Errors
    /// When the store failed for good.
    pub(super) fn work_on(&mut self, items: &mut Vec<Item>) -> Result<(), StoreError> {
        let (mut asks, mut looks) = (Vec::with_capacity(items.len()), Vec::new());
        asks.extend(self.put_off.receives.drain(..).map(|waiter| Ask::Receive(waiter, None)));
        for item in items.drain(..) {
            match item {
                Item::Command { command, note, reply, arrived, few } => {
                    asks.push(Ask::Command { command, note, reply, arrived, few });
                }
                Item::Receive(waiter) => asks.push(Ask::Receive(waiter, None)),
                Item::Note(note, noted) => asks.push(Ask::Note(note, noted)),
                Item::GiveBack(nack) => asks.push(Ask::GiveBack(nack)),
                Item::Look(look) => looks.push(look),
                Item::Drain => self.drain(),
            }
        }
        self.settle(asks)?;
        self.losses.tell(&self.core, self.clock.instant_now());
        if !looks.is_empty() {
            // What they see of the disk is of now, although nobody publishes.
            drop(self.check_room()?);
        }
        let view = self.view();
        looks.into_iter().for_each(|look| look(&view));
        Ok(())
    }

    /// Decides and commits; where the disk is full, once more without the publishes.
    fn settle(&mut self, asks: Vec<Ask>) -> Result<(), StoreError> {
        let Some(undecided) = self.try_to_settle(asks)? else { return Ok(()) };
        self.room.ran_out(&*self.store, self.clock.instant_now());
        let rest = undecided.into_iter().filter_map(refuse_publish).collect();
        let Some(undecided) = self.try_to_settle(rest)? else { return Ok(()) };
        tracing::error!("the disk is so full that not even acks can be written");
        self.pause();
        undecided.into_iter().for_each(|call| self.refuse(call));
        Ok(())
    }

    /// Gives the calls back when the disk is full; then memory says what the disk does.
    fn try_to_settle(&mut self, asks: Vec<Ask>) -> Result<Option<Vec<Decided>>, StoreError> {
        let now = self.clock.now();
        let decided = self.decide(asks, now)?;
        self.prepare_telling()?;
        let started = Instant::now();
        match self.commit(now) {
            Ok(()) => {
                let calls = decided.len();
                decided.into_iter().for_each(|call| self.answer(call, now));
                self.note_committed(calls, started, now);
                Ok(None)
            }
            Err(StoreError::Full) => {
                self.restore()?;
                Ok(Some(decided))
            }
            Err(error) => Err(error),
        }
    }

    fn commit(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let counted = &mut self.effects.counted;
        counted.sort_unstable();
        counted.dedup();
        self.counters.clear();
        let counters = counted.iter().filter_map(|id| Some((*id, self.core.queue_by_id(*id)?.counters)));
        self.counters.extend(counters);
        if self.effects.changes.is_empty() && self.counters.is_empty() {
            return Ok(());
        }
        self.store.commit(&Group {
            changes: &self.effects.changes,
            counters: &self.counters,
            high_water: self.core.high_water(),
            at: now,
        })
    }

    /// What memory keeps beside the core follows what was committed.
    fn note_committed(&mut self, calls: usize, started: Instant, now: Timestamp) {
        if !self.effects.changes.is_empty() {
            self.metrics.committed(calls, started.elapsed(), &self.effects.changes);
        }
        for change in &self.effects.changes {
            match change {
                Change::MessageGone { sequence, .. } => self.bodies.remove(*sequence),
                Change::MessagePut(..) => self.room.took(&*self.store),
                _ => {}
            }
        }
        self.bodies.trim();
        self.made_again = Why::Undo;
        self.telling.committed(self.effects.activities.len(), &self.core, now);
        self.losses.note(&self.effects.activities);
        let Effects { changes, activities, .. } = &mut self.effects;
        self.journeys.remember(changes, activities, now);
        self.forget_effects();
    }

    /// Answers a call that is on disk. Where nobody waits for it any more, dropping a handout gives the
    /// messages back.
    fn answer(&mut self, decided: Decided, now: Timestamp) {
        match decided {
            Decided::Publish { reply, arrived, result } => {
                if reply.send(result).is_ok() {
                    self.metrics.published(arrived);
                }
            }
            Decided::Command { command, reply, result, .. } => {
                if let (Command::Ack { .. }, Ok(Reply::Settled(settled))) = (&command, &result) {
                    let done = settled.iter().filter(|settled| settled.status == SettleStatus::Done);
                    done.for_each(|settled| self.metrics.acked(&settled.receipt, now));
                }
                drop(reply.send(result));
            }
            Decided::Receive { waiter, result, .. } => {
                let handout = result.map(|taken| {
                    let deliveries = taken.deliveries.iter();
                    deliveries.for_each(|delivery| self.metrics.delivered(&delivery.delivered, now));
                    Handout::new(&waiter.receive, taken, &self.line)
                });
                drop(waiter.reply.send(handout));
            }
            Decided::Note(_, noted) => drop(noted.send(Ok(()))),
            Decided::GiveBack(_) => {}
        }
    }

    /// Answers a call that could not be committed. Receives that were waiting go on waiting.
    fn refuse(&mut self, decided: Decided) {
        match decided {
            Decided::Publish { reply, .. } | Decided::Command { reply, .. } => {
                drop(reply.send(Err(BrokerError::StorageFull)));
            }
            Decided::Receive { waiter, place, .. } => match (waiter.until, place) {
                (Some(until), Some((queue, ticket))) => self.parked.put(queue, ticket, until, waiter),
                _ => drop(waiter.reply.send(Err(BrokerError::StorageFull))),
            },
            Decided::Note(_, noted) => drop(noted.send(Err(BrokerError::StorageFull))),
            // Its lease runs out.
            Decided::GiveBack(_) => {}
        }
    }
}

/// Refuses a publish for want of room; what else there was can be decided again.
fn refuse_publish(decided: Decided) -> Option<Ask> {
    match decided {
        Decided::Publish { reply, .. } => {
            drop(reply.send(Err(BrokerError::StorageFull)));
            None
        }
        Decided::Command { command, note, reply, arrived, .. } => {
            Some(Ask::Command { command, note, reply, arrived, few: FEW })
        }
        Decided::Receive { waiter, place, .. } => Some(Ask::Receive(waiter, place)),
        Decided::Note(note, noted) => Some(Ask::Note(note, noted)),
        Decided::GiveBack(nack) => Some(Ask::GiveBack(nack)),
    }
}
