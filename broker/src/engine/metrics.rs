//! What the engine measures, and its queues' and topics' figures, as Prometheus text. Counters of queues
//! are the core's, kept over restarts; histograms start anew with the process.

pub(crate) mod histogram;
mod text;

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use broker_core::{
    Core,
    change::Change,
    identity::{LeaseId, Receipt},
    reply::Delivered,
};
use units::Timestamp;

use histogram::{Histogram, SIZES, TIMES};

/// What is measured.
#[derive(Debug)]
pub(crate) struct Metrics {
    started: Instant,
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
    /// When live leases were given; those from before a restart are not timed.
    leased_at: HashMap<LeaseId, Timestamp>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            publish: Histogram::new(TIMES),
            commit: Histogram::new(TIMES),
            group: Histogram::new(SIZES),
            wait: Histogram::new(TIMES),
            processing: Histogram::new(TIMES),
            leased_at: HashMap::new(),
        }
    }

    /// A group was committed.
    pub(crate) fn committed(&mut self, calls: usize, took: Duration, changes: &[Change]) {
        self.group.record(u32::try_from(calls).map_or(f64::MAX, f64::from));
        self.commit.record(took.as_secs_f64());
        for change in changes {
            match change {
                Change::LeasePut(lease) => drop(self.leased_at.insert(lease.id, lease.leased_at)),
                Change::LeaseGone(lease) => drop(self.leased_at.remove(lease)),
                _ => {}
            }
        }
    }

    /// A publish that arrived at that time is on disk.
    pub(crate) fn published(&mut self, arrived: Instant) {
        self.publish.record(arrived.elapsed().as_secs_f64());
    }

    /// A message was handed out.
    pub(crate) fn delivered(&mut self, delivered: &Delivered, now: Timestamp) {
        if delivered.delivery_count == 1 && delivered.redrive_count == 0 {
            self.wait.record(now.since(delivered.published_at).as_secs_f64());
        }
    }

    /// A delivery is about to be acked. Call it before [`Self::committed`] forgets its lease.
    pub(crate) fn acked(&mut self, receipt: &Receipt, now: Timestamp) {
        if let Some(leased_at) = self.leased_at.get(&receipt.lease) {
            self.processing.record(now.since(*leased_at).as_secs_f64());
        }
    }

    /// All figures as Prometheus text.
    pub(crate) fn render(&self, core: &Core, now: Timestamp, parked: usize) -> String {
        let mut out = String::with_capacity(16 * 1024);
        text::engine(&mut out, self, parked);
        text::queues(&mut out, core, now);
        text::topics(&mut out, core);
        out
    }
}
