//! A queue's counts: what is in it now, and its running totals.

use broker_core::view::QueueView;
use serde::Serialize;
use units::{Timestamp, format_duration};
use utoipa::ToSchema;

/// What is in the queue now, and what happened in it since it was made. Always `published + replayed +
/// redriven_in = ready + leased + delayed + acked + dead_lettered + expired + dropped + purged` and
/// `dead = dead_lettered - redriven_out - discarded`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Counts {
    /// Can be received now.
    ready: u64,
    /// Handed out.
    leased: u64,
    /// Wait for a time.
    delayed: u64,
    /// Dead letters.
    dead: u64,
    /// Bytes of ready, leased and delayed messages.
    bytes: u64,
    /// For how long the oldest message that is ready, leased or backs off could have been received; null without
    /// one. What was published with a delay counts from when that is over.
    #[schema(example = "1500ms")]
    oldest_age: Option<String>,
    /// Published into it.
    published: u64,
    /// Put in again out of a topic's retained messages.
    replayed: u64,
    /// Redriven into it, its own dead letters too.
    redriven_in: u64,
    /// Dead letters redriven out of it.
    redriven_out: u64,
    /// Handed out, each time.
    delivered: u64,
    /// Handed out again.
    redelivered: u64,
    /// Acknowledged; auto-acks too.
    acked: u64,
    /// Became dead letters.
    dead_lettered: u64,
    /// Dead letters discarded by hand, by age, by limit.
    discarded: u64,
    /// Expired.
    expired: u64,
    /// Dropped because the queue was full.
    dropped: u64,
    /// Purged or removed by hand.
    purged: u64,
    /// Refused because the queue was full.
    rejected: u64,
    /// Publishes answered as duplicates.
    duplicates: u64,
}

impl Counts {
    /// What the core shows of a queue.
    pub(super) fn of(view: &QueueView<'_>, now: Timestamp) -> Self {
        let (gauges, totals) = (view.gauges, view.counters);
        Self {
            ready: gauges.ready,
            leased: gauges.leased,
            delayed: gauges.delayed,
            dead: gauges.dead,
            bytes: gauges.bytes,
            oldest_age: view.oldest_at.filter(|at| *at <= now).map(|at| format_duration(now.since(at))),
            published: totals.published,
            replayed: totals.replayed,
            redriven_in: totals.redriven_in,
            redriven_out: totals.redriven_out,
            delivered: totals.delivered,
            redelivered: totals.redelivered,
            acked: totals.acked,
            dead_lettered: totals.dead_lettered,
            discarded: totals.discarded,
            expired: totals.expired,
            dropped: totals.dropped,
            purged: totals.purged,
            rejected: totals.rejected,
            duplicates: totals.duplicates,
        }
    }
}
