//! What looks at the broker must show.

use broker_core::{
    identity::RedriveId,
    view::{Browsed, DeadLetter, RedriveView, WaitingState},
};
use units::Timestamp;

use super::{
    Redrive,
    queue::{Queue, State},
};

impl Queue {
    /// The messages that are not dead, in the queue's order.
    #[must_use]
    pub fn browse(&self) -> Vec<Browsed> {
        let browsed = self.copies.iter().filter_map(|copy| {
            let (state, available_at) = match copy.state {
                State::Waiting { due: true, .. } => (WaitingState::Ready, None),
                State::Waiting { available_at, .. } => (WaitingState::Delayed, Some(available_at)),
                State::Leased { .. } => (WaitingState::Leased, None),
                State::Dead { .. } => return None,
            };
            Some(Browsed {
                position: copy.position(),
                sequence: copy.message.sequence,
                state,
                published_at: copy.message.published_at,
                available_at,
                delivery_count: copy.delivery_count,
            })
        });
        browsed.collect()
    }

    /// The dead letters, newest first.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        let mut dead: Vec<_> = self
            .copies
            .iter()
            .filter_map(|copy| {
                let State::Dead { since } = copy.state else { return None };
                Some(DeadLetter {
                    sequence: copy.message.sequence,
                    since,
                    published_at: copy.message.published_at,
                    delivery_count: copy.delivery_count,
                    redrive_count: copy.redrive_count,
                    first_failed_at: copy.first_failed_at.unwrap_or(since),
                    last_failed_at: copy.last_failed_at.unwrap_or(since),
                })
            })
            .collect();
        dead.sort_by_key(|it| std::cmp::Reverse((it.since, it.sequence)));
        dead
    }

    /// When the first in line or under a lease could first be received, whichever was earlier.
    #[must_use]
    pub fn oldest_at(&self) -> Option<Timestamp> {
        let waiting = self.copies.iter().find(|copy| copy.is_waiting());
        let leased = self.copies.iter().find(|copy| copy.is_leased());
        waiting.into_iter().chain(leased).map(|copy| copy.position_at).min()
    }
}

impl Redrive {
    /// As a look shows it.
    #[must_use]
    pub fn view(&self, id: RedriveId) -> RedriveView {
        RedriveView {
            id,
            from: self.from.clone(),
            to: self.to.clone(),
            per_second: self.per_second,
            started_at: self.started_at,
            redriven: self.progress.redriven,
            skipped: self.progress.passed - self.progress.redriven,
            remaining: self.remaining(),
            waits_for_room: self.waits_for_room,
            ended_at: self.progress.ended_at,
        }
    }
}
