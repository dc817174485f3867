//! What happens in a queue by the passing of time alone.

use std::sync::Arc;

use units::Timestamp;

use crate::{
    activity::ActivityKind,
    dead_letter::{Failure, TOO_MANY, TOO_OLD},
    identity::LeaseId,
    message::Copy,
    queue::Queue,
    settings::OnExpiry,
    slab::Slot,
    turn::Turn,
};

impl Queue {
    /// When something is due next; in the past when there is work left over.
    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        let discard = if self.dead.len() as u64 > self.settings.max_dead_letters {
            Some(Timestamp::default())
        } else {
            self.dead.first().map(|(since, _)| since.plus(self.settings.dead_letter_retention))
        };
        let deadlines = [
            self.line.next_due(),
            self.leases.next_due().map(|(at, _)| at),
            self.expiring.first().map(|(at, _)| *at),
            discard,
            self.remembered.next_due(self.window()),
        ];
        deadlines.into_iter().flatten().min()
    }

    /// Does what fell due, as far as the budget of steps goes.
    pub(crate) fn catch_up(&mut self, budget: &mut usize, turn: &mut Turn<'_>) {
        self.release_due(budget, turn);
        self.expire_leases(budget, turn);
        self.expire_waiting(budget, turn);
        self.discard_due(budget, turn);
        self.remembered.forget(self.window(), turn.now, budget);
    }

    fn release_due(&mut self, budget: &mut usize, turn: &Turn<'_>) {
        while *budget > 0
            && let Some(sequence) = self.line.pop_due(turn.now)
        {
            let slot = turn.messages.copy_in(sequence, self.id);
            self.line.came_due(self.waiting(slot, turn.messages));
            *budget -= 1;
        }
    }

    fn expire_leases(&mut self, budget: &mut usize, turn: &mut Turn<'_>) {
        let mut reason = None;
        while *budget > 0
            && let Some((_, lease)) = self.leases.next_due().filter(|(at, _)| *at <= turn.now)
        {
            let reason = reason.get_or_insert_with(|| Arc::from("lease expired"));
            self.expire_lease(lease, budget, reason, turn);
        }
    }

    /// Ends the deliveries of one lease that ran out; the others are looked at when the next does.
    fn expire_lease(&mut self, lease: LeaseId, budget: &mut usize, reason: &Arc<str>, turn: &mut Turn<'_>) {
        let held: Vec<_> = self.held_under(lease, turn.messages).collect();
        let expiry = |slot: &Slot<Copy>| turn.messages.copy(*slot).trail().lease_expires_at;
        if let Some(next) = held.iter().map(expiry).filter(|at| *at > turn.now).min() {
            self.leases.look_again(lease, next);
        }
        let expired: Vec<_> = held.iter().copied().filter(|slot| expiry(slot) <= turn.now).collect();
        for slot in expired {
            self.expire_delivery(slot, lease, reason, turn);
        }
        *budget = budget.saturating_sub(held.len());
    }

    fn expire_waiting(&mut self, budget: &mut usize, turn: &mut Turn<'_>) {
        while *budget > 0
            && let Some((_, sequence)) = self.expiring.first().copied().filter(|(at, _)| *at <= turn.now)
        {
            self.expire(turn.messages.copy_in(sequence, self.id), turn);
            *budget -= 1;
        }
    }

    /// A waiting message's TTL passed.
    pub(super) fn expire(&mut self, slot: Slot<Copy>, turn: &mut Turn<'_>) {
        match self.settings.on_expiry {
            OnExpiry::Drop => {
                self.remove_waiting(slot, ActivityKind::Expired, turn);
                self.count(|counters| counters.expired += 1);
            }
            OnExpiry::DeadLetter => {
                self.leave_line(slot, turn.messages);
                self.die(slot, Failure::without_delivery("expired"), turn);
            }
        }
    }

    fn discard_due(&mut self, budget: &mut usize, turn: &mut Turn<'_>) {
        while *budget > 0
            && let Some((since, sequence)) = self.dead.first().copied()
        {
            let old = since.plus(self.settings.dead_letter_retention) <= turn.now;
            if !old && self.dead.len() as u64 <= self.settings.max_dead_letters {
                return;
            }
            let reason = if old { TOO_OLD } else { TOO_MANY };
            self.discard(turn.messages.copy_in(sequence, self.id), Some(reason), turn);
            *budget -= 1;
        }
    }
}
