//! Subscriptions: a queue's link to a topic.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use broker_core::{command::Command, reply::Refusal, settings::OnFull, view::SubscriptionView};
use serde::{Deserialize, Serialize};
use serve::{extract::Path, problem::Problem};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    given::Given,
    path::{InTopicByQueue, NoQuery},
    queues::{only_creates, put_status},
};
use crate::error::BrokerError;

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(put, delete))
}

/// A subscription.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Subscription {
    /// The queue.
    queue: String,
    on_full: OnFullText,
    /// What it began with: always `new`, what was published since.
    #[schema(example = "new")]
    from: &'static str,
    /// How many messages this subscriber missed because it was full.
    dropped: u64,
}

impl Subscription {
    /// What the core shows of it.
    pub(super) fn of(view: &SubscriptionView<'_>) -> Self {
        Self {
            queue: view.queue_name.to_string(),
            on_full: view.on_full.into(),
            from: "new",
            dropped: view.dropped,
        }
    }
}

/// What to set of a subscription.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SubscriptionToSet {
    /// What happens to a publish when this queue is full.
    #[serde(default)]
    #[schema(value_type = OnFullText)]
    on_full: Given<OnFullText>,
}

/// `reject` refuses the whole publish; with `drop` or `dead-letter` this subscriber alone misses it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum OnFullText {
    Reject,
    Drop,
    DeadLetter,
}

impl From<OnFull> for OnFullText {
    fn from(on_full: OnFull) -> Self {
        match on_full {
            OnFull::Reject => Self::Reject,
            OnFull::Drop => Self::Drop,
            OnFull::DeadLetter => Self::DeadLetter,
        }
    }
}

impl From<OnFullText> for OnFull {
    fn from(on_full: OnFullText) -> Self {
        match on_full {
            OnFullText::Reject => Self::Reject,
            OnFullText::Drop => Self::Drop,
            OnFullText::DeadLetter => Self::DeadLetter,
        }
    }
}

/// Subscribe a queue, or change the subscription.
#[utoipa::path(put, path = "/topics/{topic}/subscriptions/{queue}", operation_id = "put_subscription", tag = "topics",
    params(InTopicByQueue, ("If-None-Match" = Option<String>, Header, description = "`*` only creates")),
    request_body = SubscriptionToSet,
    responses(
        (status = 201, description = "Subscribed", body = Subscription),
        (status = 200, description = "It was subscribed; its settings are as asked", body = Subscription),
        (status = 404, description = "`topic-not-found` or `queue-not-found`"),
        (status = 412, description = "`already-exists`: with `If-None-Match: *`"),
    ))]
async fn put(
    State(api): State<Api>,
    Path(path): Path<InTopicByQueue>,
    _: NoQuery,
    headers: HeaderMap,
    serve::extract::Json(set): serve::extract::Json<SubscriptionToSet>,
) -> Result<(StatusCode, Json<Subscription>), Problem> {
    let (topic, queue) = path.names()?;
    let only_create = only_creates(&headers);
    let on_full = set.on_full.map(Into::into);
    let put = Command::PutSubscription { topic: topic.clone(), queue: queue.clone(), on_full, only_create };
    let status = put_status(&api.broker.send(put).await?)?;
    let (of, to) = (topic.clone(), queue.clone());
    let found = api.broker.look(move |core, _| {
        core.subscriptions(&of).iter().find(|view| *view.queue_name == to).map(Subscription::of)
    });
    let missing = || BrokerError::from(Refusal::SubscriptionNotFound { topic, queue });
    Ok((status, Json(found.await?.ok_or_else(missing)?)))
}

/// Unsubscribe; messages already in the queue stay.
#[utoipa::path(delete, path = "/topics/{topic}/subscriptions/{queue}", operation_id = "delete_subscription", tag = "topics", params(InTopicByQueue), responses(
    (status = 204, description = "Unsubscribed"),
    (status = 404, description = "`topic-not-found`, `queue-not-found` or `subscription-not-found`"),
))]
async fn delete(
    State(api): State<Api>,
    Path(path): Path<InTopicByQueue>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    let (topic, queue) = path.names()?;
    api.broker.send(Command::DeleteSubscription { topic, queue }).await?;
    Ok(StatusCode::NO_CONTENT)
}
