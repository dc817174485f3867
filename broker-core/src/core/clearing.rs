//! What is taken out of queues by hand, or put back: purge, removal, redrive, discard; and what can't be
//! handed out.

use std::sync::Arc;

use crate::{
    change::ActivityKind,
    command::DeadLetters,
    core::{Core, Step},
    dead_letter::Chosen,
    identity::{Name, QueueId, Selector, Sequence},
    message::State,
    queue::{Demand, Queue},
    reply::{Redriven, Refusal, Reply},
    turn::Turn,
};

/// What became of a dead letter whose turn it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turnout {
    Redriven,
    /// It is no dead letter of the queue any more, or the target holds a copy of it.
    PassedOver,
    /// The target has no room for it.
    Full,
}

impl Core {
    pub(super) fn purge_queue(
        &mut self,
        name: &Name,
        before: Option<Sequence>,
        limit: Option<u64>,
        step: &mut Step<'_>,
    ) -> Result<Reply, Refusal> {
        let id = self.queue_id(name)?;
        let limit = usize::try_from(limit.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        let count = self.with_queue(id, step, |queue, turn| queue.purge(before, limit, turn));
        Ok(Reply::Removed { count })
    }

    pub(super) fn remove_message(
        &mut self,
        name: &Name,
        message: Selector,
        step: &mut Step<'_>,
    ) -> Result<Reply, Refusal> {
        let id = self.queue_id(name)?;
        self.with_queue(id, step, |queue, turn| queue.remove_by_hand(message, turn))
    }

    pub(super) fn kill(
        &mut self,
        name: &Name,
        sequences: &[Sequence],
        reason: &Arc<str>,
        step: &mut Step<'_>,
    ) -> Result<Reply, Refusal> {
        let id = self.queue_id(name)?;
        let count = self.with_queue(id, step, |queue, turn| {
            let killed = sequences.iter().filter(|sequence| queue.kill(**sequence, reason, turn));
            killed.count() as u64
        });
        Ok(Reply::Removed { count })
    }

    pub(super) fn discard_dead_letters(
        &mut self,
        name: &Name,
        which: &DeadLetters,
        step: &mut Step<'_>,
    ) -> Result<Reply, Refusal> {
        let id = self.queue_id(name)?;
        self.with_queue(id, step, |queue, turn| {
            let chosen = queue.choose_dead(which, turn.messages);
            if chosen.sequences.is_empty() && matches!(which, DeadLetters::Ids(_)) {
                return Err(Refusal::DeadLetterNotFound);
            }
            for sequence in &chosen.sequences {
                queue.discard(turn.messages.copy_in(*sequence, id), None, turn);
            }
            Ok(Reply::Removed { count: chosen.sequences.len() as u64 })
        })
    }

    /// Redrives oldest first, until the limit, or until the target is full. To another queue, a message of
    /// which that queue holds a copy already stays a dead letter: a queue never holds a message twice.
    pub(super) fn redrive(
        &mut self,
        name: &Name,
        which: &DeadLetters,
        to: Option<&Name>,
        limit: Option<u64>,
        step: &mut Step<'_>,
    ) -> Result<Reply, Refusal> {
        let from = self.queue_id(name)?;
        let to = to.map_or(Ok(from), |name| self.queue_id(name))?;
        let Chosen { sequences, not_found } = self.queues[&from].choose_dead(which, &self.messages);
        let mut redriven = Redriven { not_found, ..Redriven::default() };
        let limit = usize::try_from(limit.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        for sequence in sequences {
            if redriven.sequences.len() >= limit {
                break;
            }
            match self.redrive_one(sequence, from, to, step) {
                Turnout::Redriven => redriven.sequences.push(sequence),
                Turnout::PassedOver => {}
                Turnout::Full => {
                    redriven.stopped_full = true;
                    break;
                }
            }
        }
        self.close_step(from, step);
        self.close_step(to, step);
        Ok(Reply::Redriven(redriven))
    }

    /// What a redrive of these would do now, behind what was rehearsed before. It changes nothing.
    ///
    /// # Errors
    /// [`Refusal::QueueNotFound`].
    pub fn rehearse_redrive(
        &self,
        name: &Name,
        which: &[Sequence],
        to: Option<&Name>,
        limit: Option<u64>,
        mut so_far: Rehearsal,
    ) -> Result<Rehearsal, Refusal> {
        let from = self.queue_id(name)?;
        let to = to.map_or(Ok(from), |name| self.queue_id(name))?;
        for sequence in which {
            if so_far.is_over(limit) {
                break;
            }
            let before = so_far.demand;
            match self.turnout(*sequence, from, to, before) {
                Turnout::Redriven => {
                    so_far.demand = before.and(self.messages.size_of(*sequence));
                    so_far.redriven.sequences.push(*sequence);
                }
                Turnout::PassedOver => {}
                Turnout::Full => so_far.redriven.stopped_full = true,
            }
        }
        Ok(so_far)
    }

    /// What would become of a dead letter that is redriven behind others, which take so much room.
    fn turnout(&self, sequence: Sequence, from: QueueId, to: QueueId, before: Demand) -> Turnout {
        let is_there = from != to && self.messages.find_copy(sequence, to).is_some();
        if is_there || !self.queues[&from].is_dead(sequence, &self.messages) {
            return Turnout::PassedOver;
        }
        let fits = self.queues[&to].has_free_room(before.and(self.messages.size_of(sequence)));
        if fits { Turnout::Redriven } else { Turnout::Full }
    }

    /// Redrives one message, where it is a dead letter and fits. The steps of both queues are to be closed.
    pub(super) fn redrive_one(
        &mut self,
        sequence: Sequence,
        from: QueueId,
        to: QueueId,
        step: &mut Step<'_>,
    ) -> Turnout {
        let turnout = self.turnout(sequence, from, to, Demand::default());
        if turnout != Turnout::Redriven {
            return turnout;
        }
        let slot = self.messages.copy_in(sequence, from);
        self.lend_queue(from, step, |queue, turn| queue.release_dead(slot, turn));
        self.lend_queue(to, step, |queue, turn| {
            if from == to { queue.take_redriven(slot, turn) } else { queue.take_moved(slot, turn) }
        });
        turnout
    }
}

/// What a redrive would do, as far as it was [rehearsed](Core::rehearse_redrive).
#[derive(Clone, Debug, Default)]
pub struct Rehearsal {
    redriven: Redriven,
    /// What it would take in the queue that they go to.
    demand: Demand,
}

impl Rehearsal {
    /// Whether nothing more would be redriven.
    #[must_use]
    pub fn is_over(&self, limit: Option<u64>) -> bool {
        let reached = limit.is_some_and(|limit| self.redriven.sequences.len() as u64 >= limit);
        reached || self.redriven.stopped_full
    }

    /// What it comes to.
    #[must_use]
    pub fn end(self) -> Redriven {
        self.redriven
    }
}

impl Queue {
    /// Drops what waits and was stored before, first in line first, so many at the most.
    fn purge(&mut self, before: Option<Sequence>, limit: usize, turn: &mut Turn<'_>) -> u64 {
        let waiting = self.line.after(None).map(|position| position.sequence);
        let meant = waiting.filter(|sequence| before.is_none_or(|before| *sequence < before));
        let meant: Vec<Sequence> = meant.take(limit).collect();
        for sequence in &meant {
            self.remove_waiting(turn.messages.copy_in(*sequence, self.id), ActivityKind::Purged, turn);
        }
        let count = meant.len() as u64;
        if count > 0 {
            self.count(|counters| counters.purged += count);
        }
        count
    }

    /// Removes all waiting messages of an id; none if one of them is leased.
    fn remove_by_hand(&mut self, message: Selector, turn: &mut Turn<'_>) -> Result<Reply, Refusal> {
        let mut waiting = Vec::new();
        for found in turn.messages.select(message) {
            let copy = turn.messages.find_copy(turn.messages.message(found).sequence, self.id);
            let Some(slot) = copy else { continue };
            match turn.messages.copy(slot).state {
                State::Waiting { .. } => waiting.push(slot),
                State::Leased(_) => return Err(Refusal::MessageLeased),
                State::Dead { .. } | State::Retained => {}
            }
        }
        if waiting.is_empty() {
            return Err(Refusal::MessageNotFound);
        }
        for slot in &waiting {
            self.remove_waiting(*slot, ActivityKind::Removed, turn);
        }
        self.count(|counters| counters.purged += waiting.len() as u64);
        Ok(Reply::Removed { count: waiting.len() as u64 })
    }
}
