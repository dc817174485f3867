//! Redriving dead letters at once: into their queue or another, oldest first, as far as there is room; and what a
//! redrive would do.

use crate::{
    command::DeadLetters,
    core::{Core, Step},
    dead_letter::Chosen,
    identity::{Name, QueueId, Sequence},
    queue::Demand,
    reply::{Redriven, Refusal, Reply},
};

/// What became of a dead letter whose turn it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turnout {
    Redriven,
    /// It is no dead letter of the queue any more.
    Gone,
    /// The target holds a copy of it.
    Held,
    /// It can never fit into the target.
    TooLarge,
    /// The target has no room for it.
    Full,
}

/// What a redrive would do, as far as it was [rehearsed](Core::rehearse_redrive).
#[derive(Clone, Debug, Default)]
pub struct Rehearsal {
    /// What it comes to.
    pub redriven: Redriven,
    /// What it would take in the queue that they go to.
    demand: Demand,
}

impl Core {
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
        for sequence in sequences {
            if redriven.is_over(limit) {
                break;
            }
            match self.redrive_one(sequence, from, to, step) {
                Turnout::Redriven => redriven.sequences.push(sequence),
                Turnout::Gone => {}
                Turnout::Held => redriven.held.push(sequence),
                Turnout::TooLarge => redriven.too_large.push(sequence),
                Turnout::Full => redriven.stopped_full = true,
            }
        }
        self.close_step(from, step);
        self.close_step(to, step);
        Ok(Reply::Redriven(Box::new(redriven)))
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
            if so_far.redriven.is_over(limit) {
                break;
            }
            let before = so_far.demand;
            match self.turnout(*sequence, from, to, before) {
                Turnout::Redriven => {
                    so_far.demand = before.and(self.messages.size_of(*sequence));
                    so_far.redriven.sequences.push(*sequence);
                }
                Turnout::Gone => {}
                Turnout::Held => so_far.redriven.held.push(*sequence),
                Turnout::TooLarge => so_far.redriven.too_large.push(*sequence),
                Turnout::Full => so_far.redriven.stopped_full = true,
            }
        }
        Ok(so_far)
    }

    /// What would become of a dead letter that is redriven behind others, which take so much room.
    fn turnout(&self, sequence: Sequence, from: QueueId, to: QueueId, before: Demand) -> Turnout {
        if !self.queues[&from].is_dead(sequence, &self.messages) {
            return Turnout::Gone;
        }
        if from != to && self.messages.find_copy(sequence, to).is_some() {
            return Turnout::Held;
        }
        let (target, size) = (&self.queues[&to], self.messages.size_of(sequence));
        match target.has_free_room(before.and(size)) {
            true => Turnout::Redriven,
            false if target.never_takes(size) => Turnout::TooLarge,
            false => Turnout::Full,
        }
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
