//! Declares a topology: a PUT for each part of it, which changes nothing where it is so already.

use futures_util::future::try_join_all;
use serde::Serialize;
use serde_json::json;

use super::client::Client;
use crate::{
    topology::{OnFull, QueueSpec, SubscriptionSpec, Topology},
    transport::TransportError,
};

#[derive(Serialize)]
struct QueueSettings {
    ordering: &'static str,
}

#[derive(Serialize)]
struct TopicSettings {}

#[derive(Serialize)]
struct SubscriptionSettings {
    on_full: &'static str,
    /// `null` takes away the filter of an earlier declaration: left out, it would stay.
    filter: Option<serde_json::Value>,
}

pub(super) async fn topology(client: &Client, topology: &Topology) -> Result<(), TransportError> {
    try_join_all(topology.queues.iter().map(|spec| queue(client, spec))).await?;
    try_join_all(topology.topics.iter().map(|name| topic(client, name))).await?;
    try_join_all(topology.subscriptions.iter().map(|spec| subscription(client, spec))).await?;
    Ok(())
}

async fn queue(client: &Client, spec: &QueueSpec) -> Result<(), TransportError> {
    let ordering = if spec.ordered_by_key { "key" } else { "none" };
    let declared = client.put(&["queues", &spec.name], &QueueSettings { ordering }).await;
    named(declared, || format!("queue {} with ordering {ordering}", spec.name))
}

async fn topic(client: &Client, name: &str) -> Result<(), TransportError> {
    named(client.put(&["topics", name], &TopicSettings {}).await, || format!("topic {name}"))
}

async fn subscription(client: &Client, spec: &SubscriptionSpec) -> Result<(), TransportError> {
    let on_full = match spec.on_full {
        OnFull::Reject => "reject",
        OnFull::Drop => "drop",
    };
    let path = ["topics", &spec.topic, "subscriptions", &spec.queue];
    let settings = SubscriptionSettings { on_full, filter: filter(&spec.without_types) };
    let declared = client.put(&path, &settings).await;
    named(declared, || format!("subscription of {} to {} with on_full {on_full}", spec.queue, spec.topic))
}

/// The filter (CloudEvents Subscriptions dialect) that lets through all but those types.
fn filter(without_types: &[String]) -> Option<serde_json::Value> {
    let types: Vec<_> = without_types.iter().map(|kind| json!({"exact": {"type": kind}})).collect();
    (!types.is_empty()).then(|| json!({"not": {"any": types}}))
}

/// Says in what waiting can't mend which declaration is at fault.
fn named<T>(
    declared: Result<T, TransportError>,
    what: impl FnOnce() -> String,
) -> Result<(), TransportError> {
    match declared {
        Ok(_) => Ok(()),
        Err(TransportError::Conflict(detail)) => {
            Err(TransportError::Conflict(format!("{}: {detail}", what())))
        }
        Err(TransportError::Refused(detail)) => Err(TransportError::Refused(format!("{}: {detail}", what()))),
        Err(error) => Err(error),
    }
}
