//! What is taken out of queues by hand: purge, removal, discard; and what can't be handed out.

use std::sync::Arc;

use crate::{
    activity::ActivityKind,
    command::DeadLetters,
    core::{Core, Step},
    identity::{Name, Selector, Sequence},
    message::State,
    queue::Queue,
    reply::{Refusal, Reply},
    turn::Turn,
};

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
