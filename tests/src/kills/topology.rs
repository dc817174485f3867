//! The queues and the topic that the load runs on.

use serde_json::{Value, json};

/// A queue of the load.
#[derive(Clone, Copy, Debug)]
pub(super) struct Queue {
    pub(super) name: &'static str,
    pub(super) by_key: bool,
    /// Whether its messages become dead letters, which are redriven.
    pub(super) dies: bool,
}

const fn queue(name: &'static str, by_key: bool, dies: bool) -> Queue {
    Queue { name, by_key, dies }
}

/// All queues; the last three are subscribed to the topic.
pub(super) const QUEUES: [Queue; 6] = [
    queue("plain", false, false),
    queue("keyed", true, false),
    queue("fragile", false, true),
    queue("fan-plain", false, false),
    queue("fan-keyed", true, false),
    queue("fan-fragile", false, true),
];

/// Where a publish can go: the path, and the queues that it ends in.
pub(super) const DESTINATIONS: [(&str, &[usize]); 4] = [
    ("/queues/plain/messages", &[0]),
    ("/queues/keyed/messages", &[1]),
    ("/queues/fragile/messages", &[2]),
    ("/topics/fan/messages", &[3, 4, 5]),
];

/// What is declared, in order: paths and settings.
pub(super) fn declarations() -> Vec<(String, Value)> {
    let settings = |queue: &Queue| {
        json!({
            "lease": "1s", "backoff": {"initial": "0s"}, "deduplication_window": "2h",
            "ordering": if queue.by_key { "key" } else { "none" },
            "max_deliveries": if queue.dies { 3 } else { 100_000 },
        })
    };
    let queues = QUEUES.iter().map(|queue| (format!("/queues/{}", queue.name), settings(queue)));
    let topic = [("/topics/fan".to_owned(), json!({"deduplication_window": "2h"}))];
    let subscriptions = QUEUES[3..].iter();
    let subscriptions =
        subscriptions.map(|queue| (format!("/topics/fan/subscriptions/{}", queue.name), json!({})));
    queues.chain(topic).chain(subscriptions).collect()
}
