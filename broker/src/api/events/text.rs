//! The data of an event, as JSON.

use serde::Serialize;
use units::Timestamp;
use utoipa::ToSchema;

use super::query::Wanted;
use crate::{
    api::watching::What,
    auth::Caller,
    engine::feed::{LeftOut, Told, ToldActivity},
};

/// The data of an event. What an activity has no part in is absent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BrokerEvent)]
pub(super) struct EventText {
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "jobs")]
    queue: Option<String>,
    /// Of `published`: the topic that it was published to; absent where it was a queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "orders")]
    topic: Option<String>,
    /// The message's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<String>,
    /// The message's source.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "/order-service")]
    source: Option<String>,
    /// The message's type.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "order.placed")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    consumer: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<String>,
    /// Of `left-out` and `skipped`: how many activities; null where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<Option<u64>>,
}

impl EventText {
    /// Of a gap in the stream.
    pub(super) fn skipped(at: Timestamp, count: Option<u64>) -> Self {
        Self { count: Some(count), ..Self::at(at) }
    }

    /// The kind and the data of an item of the feed, where it is wanted.
    pub(super) fn of(told: &Told, wanted: &Wanted, caller: &Caller) -> Option<(&'static str, Self)> {
        match told {
            Told::Activity(told) => {
                let is_wanted = wanted.has(told.queue.as_ref(), told.what)
                    && caller.may_watch(told.queue.as_ref(), told.topic.as_ref());
                is_wanted.then(|| (What::from(told.what).as_str(), Self::of_activity(told)))
            }
            Told::LeftOut(left_out) => {
                Self::of_left_out(left_out, wanted, caller).map(|text| ("left-out", text))
            }
        }
    }

    fn of_activity(told: &ToldActivity) -> Self {
        let message = told.message.as_ref();
        Self {
            queue: told.queue.as_ref().map(ToString::to_string),
            topic: told.topic.as_ref().map(ToString::to_string),
            id: message.map(|message| message.id.to_string()),
            source: message.map(|message| message.source.to_string()),
            kind: message.map(|message| message.kind.to_string()),
            consumer: told.consumer.as_deref().map(ToOwned::to_owned),
            reason: told.reason.as_deref().map(ToOwned::to_owned),
            ..Self::at(told.at)
        }
    }

    /// Only what would have been told counts, as far as the queue tells.
    fn of_left_out(left_out: &LeftOut, wanted: &Wanted, caller: &Caller) -> Option<Self> {
        let counts = left_out.counts.iter().filter(|(queue, what, _)| {
            wanted.has(queue.as_ref(), *what)
                && queue.as_ref().is_none_or(|queue| caller.may_see(Some(queue.as_str())))
        });
        let count = counts.map(|(_, _, count)| count).sum();
        (count > 0).then(|| Self { count: Some(Some(count)), ..Self::at(left_out.at) })
    }

    fn at(at: Timestamp) -> Self {
        Self {
            at,
            queue: None,
            topic: None,
            id: None,
            source: None,
            kind: None,
            consumer: None,
            reason: None,
            count: None,
        }
    }
}
