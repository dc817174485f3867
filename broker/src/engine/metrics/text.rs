//! The names and texts of all figures. A name that was once published keeps its meaning.

use std::fmt::Write as _;

use broker_core::{Core, view::QueueView};
use units::Timestamp;

use super::Metrics;

/// A figure of every queue: its name, type, help, and how to get it.
type Figure = (&'static str, &'static str, &'static str, fn(&QueueView<'_>, Timestamp) -> u64);

const QUEUE_FIGURES: &[Figure] = &[
    ("broker_queue_ready", "gauge", "Messages that can be received.", |q, _| q.gauges.ready),
    ("broker_queue_leased", "gauge", "Messages under a lease.", |q, _| q.gauges.leased),
    ("broker_queue_delayed", "gauge", "Messages that wait for a time.", |q, _| q.gauges.delayed),
    ("broker_queue_dead", "gauge", "Dead letters.", |q, _| q.gauges.dead),
    ("broker_queue_bytes", "gauge", "Bytes of ready, leased and delayed messages.", |q, _| q.gauges.bytes),
    ("broker_queue_oldest_age_seconds", "gauge", "Age of the oldest message that is not dead.", |q, now| {
        q.oldest_published_at.map_or(0, |published| now.since(published).as_secs())
    }),
    ("broker_queue_remembered_ids", "gauge", "Ids kept for deduplication.", |q, _| q.remembered_ids),
    ("broker_queue_ids_forgotten_early_total", "counter", "Ids forgotten for want of room.", |q, _| {
        q.ids_forgotten_early
    }),
    ("broker_queue_published_total", "counter", "Messages published.", |q, _| q.counters.published),
    ("broker_queue_replayed_total", "counter", "Messages replayed.", |q, _| q.counters.replayed),
    ("broker_queue_redriven_in_total", "counter", "Messages redriven into it.", |q, _| {
        q.counters.redriven_in
    }),
    ("broker_queue_redriven_out_total", "counter", "Dead letters redriven.", |q, _| q.counters.redriven_out),
    ("broker_queue_delivered_total", "counter", "Deliveries.", |q, _| q.counters.delivered),
    ("broker_queue_redelivered_total", "counter", "Deliveries after the first.", |q, _| {
        q.counters.redelivered
    }),
    ("broker_queue_acked_total", "counter", "Messages acked.", |q, _| q.counters.acked),
    ("broker_queue_dead_lettered_total", "counter", "Messages that became dead letters.", |q, _| {
        q.counters.dead_lettered
    }),
    ("broker_queue_discarded_total", "counter", "Dead letters discarded.", |q, _| q.counters.discarded),
    ("broker_queue_expired_total", "counter", "Messages whose TTL passed.", |q, _| q.counters.expired),
    ("broker_queue_dropped_total", "counter", "Messages dropped for room.", |q, _| q.counters.dropped),
    ("broker_queue_purged_total", "counter", "Messages purged or removed.", |q, _| q.counters.purged),
    ("broker_queue_rejected_total", "counter", "Messages refused.", |q, _| q.counters.rejected),
    ("broker_queue_duplicates_total", "counter", "Messages that were duplicates.", |q, _| {
        q.counters.duplicates
    }),
];

/// The figures of every queue, labelled by name.
pub(super) fn queues(out: &mut String, core: &Core, now: Timestamp) {
    let queues = core.queues(None, usize::MAX);
    for (name, kind, help, figure) in QUEUE_FIGURES {
        head(out, name, kind, help);
        for queue in &queues {
            let _ = writeln!(out, "{name}{{queue=\"{}\"}} {}", queue.name, figure(queue, now));
        }
    }
}

/// The figures of every topic and subscription.
pub(super) fn topics(out: &mut String, core: &Core) {
    let topics = core.topics(None, usize::MAX);
    head(out, "broker_topic_remembered_ids", "gauge", "Ids kept for deduplication.");
    for topic in &topics {
        let _ =
            writeln!(out, "broker_topic_remembered_ids{{topic=\"{}\"}} {}", topic.name, topic.remembered_ids);
    }
    head(out, "broker_topic_ids_forgotten_early_total", "counter", "Ids forgotten for want of room.");
    for topic in &topics {
        let count = topic.ids_forgotten_early;
        let _ = writeln!(out, "broker_topic_ids_forgotten_early_total{{topic=\"{}\"}} {count}", topic.name);
    }
    head(out, "broker_subscription_dropped_total", "counter", "Messages that a full subscriber missed.");
    for topic in &topics {
        for subscription in core.subscriptions(topic.name) {
            let _ = writeln!(
                out,
                "broker_subscription_dropped_total{{topic=\"{}\",queue=\"{}\"}} {}",
                topic.name, subscription.queue_name, subscription.dropped
            );
        }
    }
}

/// The figures of the engine itself.
pub(super) fn engine(out: &mut String, metrics: &Metrics, parked: usize) {
    head(out, "broker_uptime_seconds", "gauge", "Time since the start.");
    let _ = writeln!(out, "broker_uptime_seconds {}", metrics.started.elapsed().as_secs());
    head(out, "broker_waiting_receives", "gauge", "Receives that wait for a message.");
    let _ = writeln!(out, "broker_waiting_receives {parked}");
    let publish = "From a publish's arrival to its synced commit.";
    metrics.publish.render(out, "broker_publish_commit_seconds", publish);
    metrics.commit.render(out, "broker_group_commit_seconds", "Writing and syncing one group.");
    metrics.group.render(out, "broker_group_commit_size", "Calls in one group.");
    metrics.wait.render(out, "broker_wait_in_queue_seconds", "From publish to first delivery.");
    metrics.processing.render(out, "broker_processing_seconds", "From delivery to ack.");
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}
