//! What the engine measures, and its queues' and topics' figures, as Prometheus text. Counters of queues
//! are the core's, kept over restarts; histograms start anew with the process.

pub(crate) mod figures;
pub(crate) mod histogram;
pub(crate) mod text;

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use broker_core::{
    change::Change,
    identity::{LeaseId, QueueId, Receipt},
    reply::Delivered,
};
use units::Timestamp;

use self::{
    figures::EngineFigures,
    histogram::{Histogram, SIZES, TIMES},
};
use super::room;

/// What is measured, and what it takes to measure it.
#[derive(Debug)]
pub(crate) struct Metrics {
    started: Instant,
    measured: Measured,
    /// When live leases were given; those from before a restart are not timed.
    leased_at: HashMap<LeaseId, (QueueId, Timestamp)>,
}

/// What is measured.
#[derive(Clone, Debug)]
struct Measured {
    /// From a publish's arrival in the line to its commit, in seconds.
    publish: Histogram,
    /// Writing and syncing one group, in seconds.
    commit: Histogram,
    /// Calls in one group.
    group: Histogram,
    /// From publish to first delivery, in seconds.
    wait: Histogram,
    /// From delivery to ack, in seconds.
    processing: Histogram,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let measured = Measured {
            publish: Histogram::new(TIMES),
            commit: Histogram::new(TIMES),
            group: Histogram::new(SIZES),
            wait: Histogram::new(TIMES),
            processing: Histogram::new(TIMES),
        };
        Self { started: Instant::now(), measured, leased_at: HashMap::new() }
    }

    /// A group was committed.
    pub(crate) fn committed(&mut self, calls: usize, took: Duration, changes: &[Change]) {
        self.measured.group.record(u32::try_from(calls).map_or(f64::MAX, f64::from));
        self.measured.commit.record(took.as_secs_f64());
        let mut gone = HashSet::new();
        for change in changes {
            match change {
                Change::LeasePut(lease) => {
                    self.leased_at.insert(lease.id, (lease.queue, lease.leased_at));
                }
                Change::LeaseGone(lease) => drop(self.leased_at.remove(lease)),
                Change::QueueGone(queue) => drop(gone.insert(*queue)),
                _ => {}
            }
        }
        if !gone.is_empty() {
            self.leased_at.retain(|_, (queue, _)| !gone.contains(queue));
        }
    }

    /// A publish that arrived at that time is on disk.
    pub(crate) fn published(&mut self, arrived: Instant) {
        self.measured.publish.record(arrived.elapsed().as_secs_f64());
    }

    /// A message was handed out.
    pub(crate) fn delivered(&mut self, delivered: &Delivered, now: Timestamp) {
        if delivered.delivery_count == 1 && delivered.redrive_count == 0 {
            self.measured.wait.record(now.since(delivered.published_at).as_secs_f64());
        }
    }

    /// A delivery is about to be acked. Call it before [`Self::committed`] forgets its lease.
    pub(crate) fn acked(&mut self, receipt: &Receipt, now: Timestamp) {
        if let Some((_, leased_at)) = self.leased_at.get(&receipt.lease) {
            self.measured.processing.record(now.since(*leased_at).as_secs_f64());
        }
    }

    /// What the engine shows, with how many receives wait and what the disk has.
    pub(crate) fn figures(&self, waiting: usize, room: room::Figures) -> EngineFigures {
        EngineFigures {
            uptime: self.started.elapsed().as_secs(),
            waiting,
            room,
            measured: self.measured.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use broker_core::change::LeaseRecord;

    use super::*;

    fn lease(id: u64, queue: u32) -> Change {
        Change::LeasePut(LeaseRecord {
            id: LeaseId(id),
            queue: QueueId(queue),
            receive_id: None,
            consumer: None,
            leased_at: Timestamp::from_millis(1),
            length: Duration::from_secs(1),
            sequences: Vec::new(),
        })
    }

    #[test]
    fn the_leases_of_a_queue_that_is_removed_are_forgotten() {
        let mut metrics = Metrics::new();
        metrics.committed(2, Duration::ZERO, &[lease(1, 1), lease(2, 2)]);
        metrics.committed(1, Duration::ZERO, &[Change::QueueGone(QueueId(1))]);
        assert_eq!(metrics.leased_at.keys().collect::<Vec<_>>(), [&LeaseId(2)]);
        metrics.committed(1, Duration::ZERO, &[lease(3, 3), Change::QueueGone(QueueId(3))]);
        assert_eq!(metrics.leased_at.keys().collect::<Vec<_>>(), [&LeaseId(2)]);
    }
}
