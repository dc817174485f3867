//! The leases in hand, and when each must be extended. Counted by our own clock from when the answer
//! came, so that the broker's clock need not agree with ours.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use crate::transport::{Receipt, Settled};

#[derive(Debug)]
pub(super) struct Leases {
    length: Duration,
    held: HashMap<Receipt, Lease>,
}

#[derive(Clone, Copy, Debug)]
struct Lease {
    until: Instant,
    extend_at: Instant,
}

impl Leases {
    pub(super) fn new(length: Duration) -> Self {
        Self { length, held: HashMap::new() }
    }

    /// `left` is what the broker's clock gives it: less than half of it means that it is an old one
    /// (asked for again), or that the clocks differ; either way it is extended at once.
    pub(super) fn take(&mut self, receipt: Receipt, left: Duration, now: Instant) {
        let mut lease = self.fresh(now);
        if left < self.length / 2 {
            lease.extend_at = now;
        }
        self.held.insert(receipt, lease);
    }

    /// Extended at a half, so that there is time to try again.
    fn fresh(&self, now: Instant) -> Lease {
        Lease { until: now + self.length, extend_at: now + self.length / 2 }
    }

    /// How often to look for leases to extend.
    pub(super) fn look_every(&self) -> Duration {
        self.length / 8
    }

    pub(super) fn is_good(&self, receipt: &Receipt, now: Instant) -> bool {
        self.held.get(receipt).is_some_and(|lease| lease.until > now)
    }

    /// It ends with its settlement, or is known to be lost.
    pub(super) fn end(&mut self, receipt: &Receipt) {
        self.held.remove(receipt);
    }

    /// The receipts to extend now. Where no answer comes they are named again after a while.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Receipt> {
        let again = now + self.length / 4;
        let due = self.held.iter_mut().filter(|(_, lease)| lease.extend_at <= now);
        due.map(|(receipt, lease)| {
            lease.extend_at = again;
            receipt.clone()
        })
        .collect()
    }

    /// Notes what became of an extension that was asked for at `asked`.
    pub(super) fn extended(&mut self, receipt: &Receipt, settled: Settled, asked: Instant) {
        let fresh = self.fresh(asked);
        if settled != Settled::Done {
            self.held.remove(receipt);
        } else if let Some(lease) = self.held.get_mut(receipt) {
            *lease = fresh;
        }
    }

    /// All that are still held.
    pub(super) fn drain(&mut self) -> Vec<Receipt> {
        self.held.drain().map(|(receipt, _)| receipt).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_lease_is_extended_at_its_half_and_again_when_no_answer_comes() {
        let start = Instant::now();
        let receipt = Receipt::new("r");
        let mut leases = Leases::new(4 * SECOND);
        leases.take(receipt.clone(), leases.length, start);
        assert!(leases.due(start + SECOND).is_empty());
        assert_eq!(leases.due(start + 2 * SECOND), [Receipt::new("r")]);
        assert!(leases.due(start + 2 * SECOND).is_empty());
        assert_eq!(leases.due(start + 3 * SECOND), [Receipt::new("r")]);
        leases.extended(&receipt, Settled::Done, start + 3 * SECOND);
        assert!(leases.is_good(&receipt, start + 6 * SECOND));
        assert!(leases.due(start + 4 * SECOND).is_empty());
    }

    #[test]
    fn a_lease_that_is_old_when_it_comes_is_extended_at_once() {
        let start = Instant::now();
        let mut leases = Leases::new(4 * SECOND);
        leases.take(Receipt::new("r"), SECOND, start);
        assert_eq!(leases.due(start), [Receipt::new("r")]);
    }

    #[test]
    fn a_lease_that_ran_out_or_was_lost_is_not_good() {
        let start = Instant::now();
        let receipt = Receipt::new("r");
        let mut leases = Leases::new(SECOND);
        leases.take(receipt.clone(), leases.length, start);
        assert!(!leases.is_good(&receipt, start + SECOND));
        leases.extended(&receipt, Settled::LeaseLost, start);
        assert!(!leases.is_good(&receipt, start));
    }
}
