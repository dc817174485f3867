//! Ending deliveries: ack, nack, hand back, extend, and what becomes of a message then.

use std::{sync::Arc, time::Duration};

use units::Timestamp;

use crate::{
    activity::ActivityKind,
    change::{Change, FailureOutcome},
    command::{Nack, NackKind},
    dead_letter::Failure,
    identity::{LeaseId, Receipt},
    message::{Copy, Messages, State},
    queue::Queue,
    reply::{SettleStatus, Settled},
    slab::Slot,
    turn::{Circumstances, Turn},
};

/// How a receipt stands.
enum Standing {
    /// The message is leased under it.
    Held(Slot<Copy>),
    /// The message waits or is dead, and the lease that last held it ended by this very nack.
    Nacked,
    /// The message is not in the queue any more.
    Gone,
    /// The message is in the queue, but not under this receipt.
    Lost,
}

/// A delivery that ended.
pub(crate) struct Ended {
    pub(crate) leased_at: Timestamp,
    pub(crate) consumer: Option<Arc<str>>,
}

impl Queue {
    /// Settles deliveries as done.
    pub(crate) fn ack(&mut self, receipts: &[Receipt], turn: &mut Turn<'_>) -> Vec<Settled> {
        self.settle(receipts, turn, |queue, receipt, turn| match queue.standing(receipt, turn.messages) {
            Standing::Held(slot) => {
                queue.ack_one(slot, receipt.lease, turn);
                SettleStatus::Done
            }
            Standing::Gone => SettleStatus::AlreadySettled,
            Standing::Nacked | Standing::Lost => SettleStatus::LeaseLost,
        })
    }

    /// Ends deliveries as failed, or hands them back.
    pub(crate) fn nack(&mut self, nack: &Nack, turn: &mut Turn<'_>) -> Vec<Settled> {
        self.settle(&nack.receipts, turn, |queue, receipt, turn| {
            match queue.standing(receipt, turn.messages) {
                Standing::Held(slot) => {
                    queue.nack_one(slot, receipt.lease, nack, turn);
                    SettleStatus::Done
                }
                Standing::Nacked => SettleStatus::Done,
                Standing::Gone => SettleStatus::AlreadySettled,
                Standing::Lost => SettleStatus::LeaseLost,
            }
        })
    }

    /// Lets deliveries run on for that long from now.
    pub(crate) fn extend(
        &mut self,
        receipts: &[Receipt],
        length: Duration,
        turn: &mut Turn<'_>,
    ) -> Vec<Settled> {
        let expires_at = turn.now.plus(length);
        let mut settled = self.settle(receipts, turn, |queue, receipt, turn| {
            match queue.standing(receipt, turn.messages) {
                Standing::Held(slot) => {
                    turn.messages.copy_mut(slot).trail_mut().lease_expires_at = expires_at;
                    if let Some(length) = queue.leases.extend(receipt.lease, length, expires_at) {
                        turn.write(Change::LeaseLength(receipt.lease, length));
                    }
                    SettleStatus::Done
                }
                Standing::Gone => SettleStatus::AlreadySettled,
                Standing::Nacked | Standing::Lost => SettleStatus::LeaseLost,
            }
        });
        for result in settled.iter_mut().filter(|result| result.status == SettleStatus::Done) {
            result.lease_expires_at = Some(expires_at);
        }
        settled
    }

    fn settle(
        &mut self,
        receipts: &[Receipt],
        turn: &mut Turn<'_>,
        mut one: impl FnMut(&mut Self, Receipt, &mut Turn<'_>) -> SettleStatus,
    ) -> Vec<Settled> {
        let settled = |receipt: &Receipt| {
            let status = one(self, *receipt, turn);
            Settled { receipt: *receipt, status, lease_expires_at: None }
        };
        receipts.iter().map(settled).collect()
    }

    fn standing(&self, receipt: Receipt, messages: &Messages) -> Standing {
        let is_own = receipt.queue == self.id;
        let found = messages.find_copy(receipt.sequence, self.id).filter(|_| is_own);
        let Some(slot) = found else { return Standing::Gone };
        let copy = messages.copy(slot);
        match copy.state {
            State::Leased(lease) if lease == receipt.lease => Standing::Held(slot),
            State::Leased(_) => Standing::Lost,
            State::Waiting { .. } | State::Dead { .. } | State::Retained => {
                let trail = copy.trail();
                let nacked = trail.ended_by_nack && trail.ended_lease == Some(receipt.lease);
                if nacked { Standing::Nacked } else { Standing::Lost }
            }
        }
    }

    fn ack_one(&mut self, slot: Slot<Copy>, lease: LeaseId, turn: &mut Turn<'_>) {
        let consumer = self.leases.get(lease).consumer.clone();
        turn.note(ActivityKind::Acked, slot, Circumstances { consumer: consumer.as_ref(), reason: None });
        self.note_unleased(slot, turn.messages);
        let lane = self.lane(turn.messages.message_of(slot));
        self.remove_live(slot, turn);
        self.line.free_lane(lane);
        self.count(|counters| counters.acked += 1);
        self.close_if_over(lease, turn);
    }

    fn nack_one(&mut self, slot: Slot<Copy>, lease: LeaseId, nack: &Nack, turn: &mut Turn<'_>) {
        let ended = self.end_delivery(slot, lease, true, turn);
        match nack.kind {
            NackKind::Uncounted => self.hand_back(slot, &ended, nack, turn),
            NackKind::DeadLetter => {
                let outcome = FailureOutcome::DeadLettered;
                self.die_of_delivery(
                    slot,
                    Failure { outcome, reason: nack.reason.clone(), ended: Some(ended) },
                    turn,
                );
            }
            NackKind::Failed => {
                let count = turn.messages.copy(slot).trail().delivery_count;
                let pause =
                    nack.delay.unwrap_or_else(|| self.settings.backoff.pause(count, turn.jitter.next()));
                let outcome = FailureOutcome::Nacked;
                self.fail(
                    slot,
                    Failure { outcome, reason: nack.reason.clone(), ended: Some(ended) },
                    pause,
                    turn,
                );
            }
        }
        self.close_if_over(lease, turn);
    }

    /// A lease ran out for one of its messages.
    pub(super) fn expire_delivery(
        &mut self,
        slot: Slot<Copy>,
        lease: LeaseId,
        reason: &Arc<str>,
        turn: &mut Turn<'_>,
    ) {
        let ended = self.end_delivery(slot, lease, false, turn);
        let reason = Some(Arc::clone(reason));
        let failure = Failure { outcome: FailureOutcome::LeaseExpired, reason, ended: Some(ended) };
        self.fail(slot, failure, Duration::ZERO, turn);
        self.close_if_over(lease, turn);
    }

    /// A leased message can't be handed out again.
    pub(crate) fn kill_leased(
        &mut self,
        slot: Slot<Copy>,
        lease: LeaseId,
        reason: &Arc<str>,
        turn: &mut Turn<'_>,
    ) {
        let ended = self.end_delivery(slot, lease, false, turn);
        let (outcome, reason) = (FailureOutcome::DeadLettered, Some(Arc::clone(reason)));
        self.die_of_delivery(slot, Failure { outcome, reason, ended: Some(ended) }, turn);
        self.close_if_over(lease, turn);
    }

    /// A delivery failed: the message waits for its next, or it was the last.
    fn fail(&mut self, slot: Slot<Copy>, failure: Failure, pause: Duration, turn: &mut Turn<'_>) {
        if let Some(what) = failure.outcome.of_delivery() {
            turn.note(what, slot, failure.circumstances());
        }
        if turn.messages.copy(slot).trail().delivery_count >= self.settings.max_deliveries {
            return self.die_of_delivery(slot, failure, turn);
        }
        self.record_failure(slot, failure, false, turn);
        self.wait_again(slot, pause, turn);
    }

    /// Hands a delivery back in its place as if it had not been.
    fn hand_back(&mut self, slot: Slot<Copy>, ended: &Ended, nack: &Nack, turn: &mut Turn<'_>) {
        let trail = turn.messages.copy_mut(slot).trail_mut();
        trail.delivery_count -= 1;
        if trail.first_delivered_at == Some(ended.leased_at) && trail.failures == 0 {
            trail.first_delivered_at = None;
        }
        let circumstances = Circumstances { consumer: ended.consumer.as_ref(), reason: nack.reason.as_ref() };
        turn.note(ActivityKind::Returned, slot, circumstances);
        self.wait_again(slot, nack.delay.unwrap_or_default(), turn);
    }

    fn wait_again(&mut self, slot: Slot<Copy>, pause: Duration, turn: &mut Turn<'_>) {
        turn.messages.copy_mut(slot).state = State::Waiting { available_at: turn.now.plus(pause) };
        let waiting = self.waiting(slot, turn.messages);
        self.line.put_back(waiting, turn.now);
        self.watch_expiry(slot, turn.messages);
        turn.write_copy(slot);
    }

    fn die_of_delivery(&mut self, slot: Slot<Copy>, failure: Failure, turn: &mut Turn<'_>) {
        let lane = self.lane(turn.messages.message_of(slot));
        self.die(slot, failure, turn);
        self.line.free_lane(lane);
    }

    /// Takes a copy from under its lease; where it goes now is for the caller to say, at once.
    fn end_delivery(
        &mut self,
        slot: Slot<Copy>,
        lease: LeaseId,
        by_nack: bool,
        turn: &mut Turn<'_>,
    ) -> Ended {
        self.note_unleased(slot, turn.messages);
        let trail = turn.messages.copy_mut(slot).trail_mut();
        trail.ended_lease = Some(lease);
        trail.ended_by_nack = by_nack;
        let lease = self.leases.get(lease);
        Ended { leased_at: lease.leased_at, consumer: lease.consumer.clone() }
    }

    fn close_if_over(&mut self, lease: LeaseId, turn: &mut Turn<'_>) {
        if self.leases.end_delivery(lease) {
            turn.write(Change::LeaseGone(lease));
        }
    }
}
