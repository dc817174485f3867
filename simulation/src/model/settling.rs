//! What becomes of deliveries: ack, nack in its three forms, extend, and the lease that runs out.

use std::{sync::Arc, time::Duration};

use broker_core::{
    change::FailureOutcome,
    command::{Nack, NackKind},
    identity::{LeaseId, Name, Receipt},
    reply::{Refusal, Reply, SettleStatus, Settled},
};
use units::Timestamp;

use super::{
    Model, named,
    queue::{Queue, State, waits},
};

/// How a receipt stands.
enum Standing {
    Held(usize),
    /// Its lease was the last, and a nack ended it.
    Nacked,
    Lost,
    Gone,
}

/// A failure of a delivery.
pub(super) struct Failed {
    pub(super) outcome: FailureOutcome,
    pub(super) reason: Option<Arc<str>>,
}

impl Model {
    /// Settles by receipts that this very queue has given.
    pub(super) fn settling(
        &mut self,
        name: &Name,
        receipts: &[Receipt],
        how: impl FnOnce(&mut Queue) -> Vec<Settled>,
    ) -> Result<Reply, Refusal> {
        let next = self.next;
        let queues: Vec<u32> = self.queues.values().map(|it| it.id.0).collect();
        let topics: Vec<u32> = self.topics.values().map(|it| it.id.0).collect();
        let queue = named(&mut self.queues, name)?;
        let is_gone = |id: u32| id < next.next_destination && !queues.contains(&id) && !topics.contains(&id);
        let given = |receipt: &Receipt| {
            let own = receipt.queue == queue.id;
            let issued = receipt.sequence.0 < next.next_sequence && receipt.lease.0 < next.next_lease;
            if own { issued } else { is_gone(receipt.queue.0) }
        };
        if let Some(index) = receipts.iter().position(|receipt| !given(receipt)) {
            return Err(Refusal::ForeignReceipt { index });
        }
        let settled = how(queue);
        queue.close_leases();
        Ok(Reply::Settled(settled))
    }
}

impl Queue {
    fn standing(&self, receipt: Receipt) -> Standing {
        let is_own = receipt.queue == self.id;
        let Some(place) = self.find(receipt.sequence).filter(|_| is_own) else { return Standing::Gone };
        let copy = &self.copies[place];
        match copy.state {
            State::Leased { lease, .. } if lease == receipt.lease => Standing::Held(place),
            State::Waiting { .. } | State::Dead { .. } if copy.ended == Some((receipt.lease, true)) => {
                Standing::Nacked
            }
            _ => Standing::Lost,
        }
    }

    pub(super) fn ack(&mut self, receipts: &[Receipt]) -> Vec<Settled> {
        let one = |receipt: &Receipt| {
            let status = match self.standing(*receipt) {
                Standing::Held(place) => {
                    self.copies.remove(place);
                    self.counters.acked += 1;
                    SettleStatus::Done
                }
                Standing::Gone => SettleStatus::AlreadySettled,
                Standing::Nacked | Standing::Lost => SettleStatus::LeaseLost,
            };
            Settled { receipt: *receipt, status, lease_expires_at: None }
        };
        receipts.iter().map(one).collect()
    }

    pub(super) fn nack(&mut self, nack: &Nack, now: Timestamp) -> Vec<Settled> {
        let one = |receipt: &Receipt| {
            let status = match self.standing(*receipt) {
                Standing::Held(place) => {
                    self.nack_one(place, receipt.lease, nack, now);
                    SettleStatus::Done
                }
                Standing::Nacked => SettleStatus::Done,
                Standing::Gone => SettleStatus::AlreadySettled,
                Standing::Lost => SettleStatus::LeaseLost,
            };
            Settled { receipt: *receipt, status, lease_expires_at: None }
        };
        nack.receipts.iter().map(one).collect()
    }

    pub(super) fn extend(&mut self, receipts: &[Receipt], length: Duration, now: Timestamp) -> Vec<Settled> {
        let until = now.plus(length);
        let one = |receipt: &Receipt| {
            let (status, lease_expires_at) = match self.standing(*receipt) {
                Standing::Held(place) => {
                    self.copies[place].state = State::Leased { lease: receipt.lease, until };
                    self.set_length(receipt.lease, length);
                    (SettleStatus::Done, Some(until))
                }
                Standing::Gone => (SettleStatus::AlreadySettled, None),
                Standing::Nacked | Standing::Lost => (SettleStatus::LeaseLost, None),
            };
            Settled { receipt: *receipt, status, lease_expires_at }
        };
        receipts.iter().map(one).collect()
    }

    /// What is kept of a lease with several deliveries is the longest of their lengths.
    fn set_length(&mut self, id: LeaseId, length: Duration) {
        let held = |state: State| matches!(state, State::Leased { lease, .. } if lease == id);
        let several = self.copies.iter().filter(|copy| held(copy.state)).count() > 1;
        let lease = self.leases.get_mut(&id).expect("a lease that holds is open");
        lease.length = if several { lease.length.max(length) } else { length };
    }

    fn nack_one(&mut self, place: usize, lease: LeaseId, nack: &Nack, now: Timestamp) {
        self.copies[place].ended = Some((lease, true));
        let reason = nack.reason.clone();
        match nack.kind {
            NackKind::Uncounted => self.hand_back(place, lease, nack.delay.unwrap_or_default(), now),
            NackKind::DeadLetter => {
                let failed = Failed { outcome: FailureOutcome::DeadLettered, reason };
                self.die(place, failed, Some(lease), now);
            }
            NackKind::Failed => {
                let pause = nack.delay.unwrap_or_else(|| self.backoff(self.copies[place].delivery_count));
                self.fail(place, Failed { outcome: FailureOutcome::Nacked, reason }, lease, pause, now);
            }
        }
    }

    /// The lease of a delivery ran out.
    pub(super) fn run_out(&mut self, place: usize, lease: LeaseId, now: Timestamp) {
        self.copies[place].ended = Some((lease, false));
        let failed =
            Failed { outcome: FailureOutcome::LeaseExpired, reason: Some(Arc::from("lease expired")) };
        self.fail(place, failed, lease, Duration::ZERO, now);
    }

    fn fail(&mut self, place: usize, failed: Failed, lease: LeaseId, pause: Duration, now: Timestamp) {
        if self.copies[place].delivery_count >= self.settings.max_deliveries {
            return self.die(place, failed, Some(lease), now);
        }
        self.note_failure(place, failed, Some(lease), false, now);
        let copy = &mut self.copies[place];
        copy.state = waits(now.plus(pause), copy.position_at, now);
    }

    fn hand_back(&mut self, place: usize, lease: LeaseId, delay: Duration, now: Timestamp) {
        let leased_at = self.leases[&lease].leased_at;
        let copy = &mut self.copies[place];
        copy.delivery_count -= 1;
        if copy.first_delivered_at == Some(leased_at) && copy.failures == 0 {
            copy.first_delivered_at = None;
        }
        copy.state = waits(now.plus(delay), copy.position_at, now);
    }

    /// `initial * factor^(n-1)`, at most `max`. The simulated queues have a whole factor and no jitter.
    fn backoff(&self, failure: u32) -> Duration {
        let backoff = self.settings.backoff;
        let growth = (backoff.factor as u32).saturating_pow(failure - 1);
        backoff.initial.saturating_mul(growth).min(backoff.max)
    }
}
