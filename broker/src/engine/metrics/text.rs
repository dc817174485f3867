//! The names and texts of all figures. A name that was once published keeps its meaning.

use std::fmt::Write as _;

use super::{
    super::room,
    figures::{EngineFigures, Named, QueueFigures, TopicFigures},
};

/// A figure of every queue or topic: its name, type, help, and how to get it.
type Figure<T> = (&'static str, &'static str, &'static str, fn(&T) -> u64);

const QUEUE_FIGURES: &[Figure<QueueFigures>] = &[
    ("broker_queue_ready", "gauge", "Messages that can be received.", |q| q.gauges.ready),
    ("broker_queue_leased", "gauge", "Messages under a lease.", |q| q.gauges.leased),
    ("broker_queue_delayed", "gauge", "Messages that wait for a time.", |q| q.gauges.delayed),
    ("broker_queue_dead", "gauge", "Dead letters.", |q| q.gauges.dead),
    ("broker_queue_bytes", "gauge", "Bytes of ready, leased and delayed messages.", |q| q.gauges.bytes),
    (
        "broker_queue_oldest_age_seconds",
        "gauge",
        "For how long the oldest message, ready, leased or backing off, could have been received.",
        |q| q.oldest_age,
    ),
    ("broker_queue_remembered_ids", "gauge", "Ids kept for deduplication.", |q| q.remembered_ids),
    ("broker_queue_ids_forgotten_early_total", "counter", "Ids forgotten for want of room.", |q| {
        q.ids_forgotten_early
    }),
    ("broker_queue_published_total", "counter", "Messages published.", |q| q.counters.published),
    ("broker_queue_replayed_total", "counter", "Messages replayed.", |q| q.counters.replayed),
    ("broker_queue_redriven_in_total", "counter", "Messages redriven into it.", |q| q.counters.redriven_in),
    ("broker_queue_redriven_out_total", "counter", "Dead letters redriven.", |q| q.counters.redriven_out),
    ("broker_queue_delivered_total", "counter", "Deliveries.", |q| q.counters.delivered),
    ("broker_queue_redelivered_total", "counter", "Deliveries after the first.", |q| q.counters.redelivered),
    ("broker_queue_acked_total", "counter", "Messages acked.", |q| q.counters.acked),
    ("broker_queue_dead_lettered_total", "counter", "Messages that became dead letters.", |q| {
        q.counters.dead_lettered
    }),
    ("broker_queue_discarded_total", "counter", "Dead letters discarded.", |q| q.counters.discarded),
    ("broker_queue_expired_total", "counter", "Messages whose TTL passed.", |q| q.counters.expired),
    ("broker_queue_dropped_total", "counter", "Messages dropped for room.", |q| q.counters.dropped),
    ("broker_queue_purged_total", "counter", "Messages purged or removed.", |q| q.counters.purged),
    ("broker_queue_rejected_total", "counter", "Messages refused.", |q| q.counters.rejected),
    ("broker_queue_duplicates_total", "counter", "Messages that were duplicates.", |q| q.counters.duplicates),
];

const TOPIC_FIGURES: &[Figure<TopicFigures>] = &[
    ("broker_topic_subscriptions", "gauge", "Queues that are subscribed.", |t| t.dropped.len() as u64),
    ("broker_topic_retained", "gauge", "Messages kept for replay.", |t| t.retained),
    ("broker_topic_retained_bytes", "gauge", "Bytes of the messages kept for replay.", |t| t.retained_bytes),
    ("broker_topic_remembered_ids", "gauge", "Ids kept for deduplication.", |t| t.remembered_ids),
    ("broker_topic_ids_forgotten_early_total", "counter", "Ids forgotten for want of room.", |t| {
        t.ids_forgotten_early
    }),
    (
        "broker_topic_published_total",
        "counter",
        "Messages published, from 0 at a start or after a full disk.",
        |t| t.counters.published,
    ),
    ("broker_topic_unrouted_total", "counter", "Messages published that wait in no queue.", |t| {
        t.counters.unrouted
    }),
    ("broker_topic_duplicates_total", "counter", "Messages that were duplicates.", |t| t.counters.duplicates),
    ("broker_topic_rejected_total", "counter", "Messages refused for want of room or route.", |t| {
        t.counters.rejected
    }),
];

/// All figures as Prometheus text.
pub(crate) fn write(engine: &EngineFigures, queues: &[QueueFigures], topics: &[TopicFigures]) -> String {
    let mut out = String::with_capacity(16 * 1024);
    write_engine(&mut out, engine);
    write_all(&mut out, "queue", QUEUE_FIGURES, queues);
    write_all(&mut out, "topic", TOPIC_FIGURES, topics);
    write_subscriptions(&mut out, topics);
    out
}

fn write_engine(out: &mut String, engine: &EngineFigures) {
    head(out, "broker_uptime_seconds", "gauge", "Time since the start.");
    let _ = writeln!(out, "broker_uptime_seconds {}", engine.uptime);
    head(out, "broker_waiting_receives", "gauge", "Receives that wait for a message.");
    let _ = writeln!(out, "broker_waiting_receives {}", engine.waiting);
    write_room(out, engine.room);
    let measured = &engine.measured;
    let publish = "From a publish's arrival to its synced commit.";
    measured.publish.render(out, "broker_publish_commit_seconds", publish);
    measured.commit.render(out, "broker_group_commit_seconds", "Writing and syncing one group.");
    measured.group.render(out, "broker_group_commit_size", "Calls in one group.");
    measured.wait.render(out, "broker_wait_in_queue_seconds", "From publish to first delivery.");
    measured.processing.render(out, "broker_processing_seconds", "From delivery to ack.");
}

/// What the disk has; nothing of what is not known.
fn write_room(out: &mut String, room: room::Figures) {
    if let Some(free) = room.free {
        let help = "Bytes that can still be stored: free on the disk, or in the broker's files.";
        head(out, "broker_free_space_bytes", "gauge", help);
        let _ = writeln!(out, "broker_free_space_bytes {free}");
    }
    let help = "Publishes are refused while broker_free_space_bytes is this or less.";
    head(out, "broker_free_space_floor_bytes", "gauge", help);
    let _ = writeln!(out, "broker_free_space_floor_bytes {}", room.floor);
}

/// The figures of every queue or topic, labelled by name.
fn write_all<T: Named>(out: &mut String, label: &str, figures: &[Figure<T>], all: &[T]) {
    for (name, kind, help, figure) in figures {
        head(out, name, kind, help);
        for one in all {
            let _ = writeln!(out, "{name}{{{label}=\"{}\"}} {}", one.name(), figure(one));
        }
    }
}

/// The figures of every subscription.
fn write_subscriptions(out: &mut String, topics: &[TopicFigures]) {
    head(out, "broker_subscription_dropped_total", "counter", "Messages that a full subscriber missed.");
    for TopicFigures { name, dropped, .. } in topics {
        for (queue, count) in dropped {
            let labels = format_args!("topic=\"{name}\",queue=\"{queue}\"");
            let _ = writeln!(out, "broker_subscription_dropped_total{{{labels}}} {count}");
        }
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}
