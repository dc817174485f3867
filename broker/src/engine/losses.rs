//! Dead letters that are dropped because they are too many or too old: whoever watches the log hears of it, at
//! most every few seconds.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use broker_core::{
    Core,
    activity::{Activity, ActivityKind},
    identity::QueueId,
};

/// How often the log is told at the most.
const PACE: Duration = Duration::from_secs(10);

/// What was dropped and is not told yet.
#[derive(Debug, Default)]
pub(super) struct Losses {
    counts: BTreeMap<(QueueId, Arc<str>), u64>,
    told: Option<Instant>,
}

impl Losses {
    /// A committed group did this. Those that somebody discards by hand have no reason.
    pub(super) fn note(&mut self, activities: &[Activity]) {
        for activity in activities.iter().filter(|activity| activity.what == ActivityKind::Discarded) {
            if let (Some(queue), Some(reason)) = (activity.queue, &activity.reason) {
                *self.counts.entry((queue, Arc::clone(reason))).or_default() += 1;
            }
        }
    }

    /// When there is something to tell, though nothing more happens.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.told.filter(|_| !self.counts.is_empty()).map(|told| told + PACE)
    }

    /// Tells the log, where it is time to.
    pub(super) fn tell(&mut self, core: &Core, now: Instant) {
        if !self.counts.is_empty() && self.told.is_none_or(|told| now >= told + PACE) {
            self.tell_all(core);
            self.told = Some(now);
        }
    }

    /// Tells the log what is left.
    pub(super) fn tell_all(&mut self, core: &Core) {
        while let Some(((queue, reason), count)) = self.counts.pop_first() {
            let queue = core.queue_by_id(queue).map_or("one that is gone", |queue| queue.name.as_str());
            tracing::warn!(queue, count, reason = &*reason, "dead letters were dropped");
        }
    }
}
