//! Looking into a queue without changing anything.

use units::Timestamp;

use crate::{
    identity::Sequence,
    message::{Messages, State},
    ordering::{bound_after, merge},
    queue::Queue,
    view::{Browsed, DeadLetter, Position, QueueView, WaitingState},
};

impl Queue {
    pub(crate) fn view(&self) -> QueueView<'_> {
        QueueView {
            id: self.id,
            name: &self.name,
            settings: &self.settings,
            counters: self.counters,
            gauges: self.gauges(),
            oldest_at: self.oldest_at(),
            remembered_ids: self.remembered.len(),
            ids_forgotten_early: self.remembered.forgotten_early(),
        }
    }

    fn oldest_at(&self) -> Option<Timestamp> {
        let first = self.line.oldest().into_iter().chain(self.leased.first().copied());
        first.map(|position| position.at).min()
    }

    /// What waits or is leased, after a place.
    pub(crate) fn browse(
        &self,
        state: Option<WaitingState>,
        after: Option<Position>,
        limit: usize,
        messages: &Messages,
    ) -> Vec<Browsed> {
        let leased = self.leased.range((bound_after(after), std::ops::Bound::Unbounded)).copied();
        match state {
            None => self.browsed(merge(self.line.after(after), leased), messages).take(limit).collect(),
            Some(WaitingState::Leased) => self.browsed(leased, messages).take(limit).collect(),
            Some(WaitingState::Ready) => {
                let waiting = self.browsed(self.line.after(after), messages);
                waiting.filter(|it| it.state == WaitingState::Ready).take(limit).collect()
            }
            Some(WaitingState::Delayed) => {
                let later = self.line.later_after(after).map(|(at, sequence)| Position { at, sequence });
                self.browsed(later, messages).take(limit).collect()
            }
        }
    }

    fn browsed<'a>(
        &'a self,
        positions: impl Iterator<Item = Position> + 'a,
        messages: &'a Messages,
    ) -> impl Iterator<Item = Browsed> + 'a {
        positions.map(|position| {
            let slot = messages.copy_in(position.sequence, self.id);
            let copy = messages.copy(slot);
            let (state, available_at) = match copy.state {
                State::Waiting { available_at } if self.line.is_delayed(available_at, position.sequence) => {
                    (WaitingState::Delayed, Some(available_at))
                }
                State::Leased(_) => (WaitingState::Leased, None),
                State::Waiting { .. } | State::Dead { .. } | State::Retained => (WaitingState::Ready, None),
            };
            Browsed {
                position,
                sequence: position.sequence,
                state,
                published_at: messages.message_of(slot).published_at,
                available_at,
                delivery_count: copy.trail().delivery_count,
            }
        })
    }

    /// The dead letters before a place, newest first.
    pub(crate) fn dead_letters(
        &self,
        before: Option<(Timestamp, Sequence)>,
        limit: usize,
        messages: &Messages,
    ) -> Vec<DeadLetter> {
        let newest_first = self.dead.range((std::ops::Bound::Unbounded, bound_after(before))).rev();
        let letters = newest_first.map(|(_, sequence)| self.dead_letter(*sequence, messages));
        letters.flatten().take(limit).collect()
    }

    pub(crate) fn dead_letter(&self, sequence: Sequence, messages: &Messages) -> Option<DeadLetter> {
        let slot = messages.find_copy(sequence, self.id)?;
        let State::Dead { since } = messages.copy(slot).state else { return None };
        let trail = messages.copy(slot).trail();
        Some(DeadLetter {
            sequence,
            since,
            published_at: messages.message_of(slot).published_at,
            delivery_count: trail.delivery_count,
            redrive_count: trail.redrive_count,
            first_failed_at: trail.first_failed_at.unwrap_or(since),
            last_failed_at: trail.last_failed_at.unwrap_or(since),
        })
    }
}
