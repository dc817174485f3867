//! Subscriptions: a queue's link to a topic, with its filter and what it begins with.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use broker_core::{
    choice::Chosen,
    command::{Command, SubscriptionPatch},
    reply::Refusal,
    settings::{OnFull, Start},
    view::SubscriptionView,
};
use serde::{Deserialize, Serialize};
use serve::{extract::Path, problem::Problem};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    asked::Asked,
    filters,
    filters::{FilterOrNull, FilterText},
    given::{Beginning, Distinct, Given, Word},
    path::{InTopicByQueue, NoQuery},
    queues::{only_creates, put_status},
};
use crate::{auth::Caller, engine::note::Note, error::BrokerError, filter};

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(put, delete))
}

/// A subscription.
#[derive(Debug, Serialize, ToSchema)]
pub struct Subscription {
    /// The queue.
    queue: String,
    on_full: OnFullText,
    /// Which messages it takes; absent where it takes all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = FilterText, required = false)]
    filter: Option<serde_json::Value>,
    /// What it began with: `new`, `earliest`, or a time.
    #[schema(example = "new")]
    from: String,
    /// How many messages this subscriber missed because it was full.
    dropped: u64,
}

impl Subscription {
    /// What the core shows of it.
    #[must_use]
    pub fn of(view: &SubscriptionView<'_>) -> Self {
        Self {
            queue: view.queue_name.to_string(),
            on_full: view.on_full.into(),
            filter: view.filter.map(filter::write),
            from: match view.start {
                Start::New => "new".to_owned(),
                Start::Earliest => "earliest".to_owned(),
                Start::Since(at) => at.to_string(),
            },
            dropped: view.dropped,
        }
    }
}

/// What to set of a subscription.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionToSet {
    /// What happens to a publish when this queue is full.
    #[serde(default)]
    #[schema(value_type = OnFullText)]
    on_full: Given<Word<OnFullText>>,
    /// Which messages it takes; null takes the filter away.
    #[serde(default)]
    #[schema(value_type = FilterOrNull)]
    filter: Given<Distinct>,
    /// What it begins with when it is made: `new`, `earliest`, or what was published at a time or later, of
    /// what the topic retains; of a time to come, nothing is. It can't change afterwards.
    #[serde(default)]
    #[schema(value_type = Beginning)]
    from: Given<Beginning>,
}

impl SubscriptionToSet {
    /// The change that it asks for.
    ///
    /// # Errors
    /// `invalid-field` with the part of the filter at fault.
    pub fn patch(&self) -> Result<SubscriptionPatch, Problem> {
        let filter = self.filter.as_ref().map(|Distinct(json)| match json {
            serde_json::Value::Null => Ok(None),
            json => filters::read(json).map(Some),
        });
        Ok(SubscriptionPatch {
            on_full: self.on_full.map(|Word(on_full)| on_full.into()),
            filter: filter.transpose()?,
            start: self.from.map(|Beginning(start)| start),
        })
    }
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
        (status = 409, description = "`setting-conflict`: it began with something else"),
        (status = 413, description = "`body-too-large`: what it would begin with can never fit into the queue"),
        (status = 429, description = "`queue-full`: what it would begin with does not fit"),
        (status = 412, description = "`already-exists`: with `If-None-Match: *`"),
    ))]
async fn put(
    State(api): State<Api>,
    caller: Caller,
    Path(path): Path<InTopicByQueue>,
    _: NoQuery,
    headers: HeaderMap,
    Asked { set, json }: Asked<SubscriptionToSet>,
) -> Result<(StatusCode, Json<Subscription>), Problem> {
    let (topic, queue) = path.names()?;
    let only_create = only_creates(&headers);
    let put = Command::PutSubscription {
        topic: topic.clone(),
        queue: queue.clone(),
        settings: set.patch()?,
        only_create,
        chosen: Chosen::All,
    };
    let note = Note::settings(caller.name(), "put-subscription").topic(&topic).queue(&queue).request(&json);
    let status = put_status(&api.broker.send_by_hand(put, note).await?)?;
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
    caller: Caller,
    Path(path): Path<InTopicByQueue>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    let (topic, queue) = path.names()?;
    let note = Note::settings(caller.name(), "delete-subscription").topic(&topic).queue(&queue);
    api.broker.send_by_hand(Command::DeleteSubscription { topic, queue }, note).await?;
    Ok(StatusCode::NO_CONTENT)
}
