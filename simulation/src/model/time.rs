//! What must happen by the passing of time alone.

use broker_core::identity::{LeaseId, RedriveId};
use units::Timestamp;

use super::{
    Copy, Model,
    queue::{Queue, State},
};

impl Model {
    /// Does what fell due: in queues and topics first, then what redrives may put there.
    pub fn tick(&mut self, now: Timestamp) {
        loop {
            self.queues.values_mut().for_each(|queue| queue.catch_up(now));
            self.topics.values_mut().for_each(|topic| topic.catch_up(now));
            match self.next_redrive(now) {
                Some(redrive) => self.go_on(redrive, now),
                None => return,
            }
        }
    }

    fn next_redrive(&self, now: Timestamp) -> Option<RedriveId> {
        let due = self.redrives.iter().filter_map(|(id, redrive)| Some((redrive.deadline()?, *id)));
        due.filter(|(at, _)| *at <= now).min().map(|(_, id)| id)
    }
}

impl Queue {
    fn catch_up(&mut self, now: Timestamp) {
        let mut leases_ran_out = false;
        for copy in &mut self.copies {
            match &mut copy.state {
                State::Waiting { available_at, due, in_lane } if *available_at <= now => {
                    (*due, *in_lane) = (true, true);
                }
                State::Leased { until, .. } => leases_ran_out |= *until <= now,
                State::Waiting { .. } | State::Dead { .. } => {}
            }
        }
        if leases_ran_out {
            self.expire_leases(now);
        }
        let overdue = |copy: &Copy| copy.is_waiting() && copy.expires_at.is_some_and(|at| at <= now);
        while let Some(place) = self.copies.iter().position(overdue) {
            self.expire(place, now);
        }
        self.discard_due(now);
    }

    fn expire_leases(&mut self, now: Timestamp) {
        let ran_out = |copy: &Copy| match copy.state {
            State::Leased { lease, until } if until <= now => Some(lease),
            _ => None,
        };
        let first = |queue: &Self| -> Option<(usize, LeaseId)> {
            queue.copies.iter().enumerate().find_map(|(place, copy)| Some((place, ran_out(copy)?)))
        };
        while let Some((place, lease)) = first(self) {
            self.run_out(place, lease, now);
        }
        self.close_leases();
    }

    fn discard_due(&mut self, now: Timestamp) {
        if !self.copies.iter().any(Copy::is_dead) {
            return;
        }
        while let Some((since, sequence)) = self.dead().first().copied() {
            let old = since.plus(self.settings.dead_letter_retention) <= now;
            if !old && self.dead().len() as u64 <= self.settings.max_dead_letters {
                return;
            }
            self.discard_one(sequence);
        }
    }
}
