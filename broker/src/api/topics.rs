//! Topics: declare, look with subscriptions, list, remove.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use broker_core::{
    Core,
    command::Command,
    identity::Name,
    reply::Refusal,
    settings::{TopicSettings, TopicSettingsPatch},
    view::TopicView,
};
use serde::{Deserialize, Serialize};
use serve::{
    extract::{Path, Query},
    page::Page,
    problem::Problem,
};
use units::{Size, duration};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    asked::Asked,
    given::{Bytes, Capacity, Count, Given, Pause, Span, Whole},
    page::{self, ByName},
    path::{InTopic, NoQuery},
    queues::{only_creates, put_status},
    subscriptions::Subscription,
};
use crate::{auth::Caller, engine::note::Note, error::BrokerError};

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(put, show, delete))
}

/// A topic.
#[derive(Debug, Serialize, ToSchema)]
struct Topic {
    /// Its name.
    name: String,
    settings: Settings,
    /// What it keeps for replay now.
    retained: Kept,
    /// The queues that get a copy of each message, by name.
    subscriptions: Vec<Subscription>,
}

/// How much a topic keeps for replay.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Retained)]
struct Kept {
    messages: u64,
    bytes: u64,
}

/// The settings of a topic.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TopicSettings)]
pub struct Settings {
    #[serde(with = "duration")]
    #[schema(value_type = String, example = "7d")]
    retention: std::time::Duration,
    #[schema(value_type = u64)]
    retention_bytes: Size,
    #[serde(with = "duration")]
    #[schema(value_type = String, example = "5m")]
    deduplication_window: std::time::Duration,
    max_deduplication_ids: u64,
}

/// The settings to set; those left out keep their values, or take their defaults in a new topic.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TopicSettingsToSet)]
pub struct SettingsToSet {
    /// How long published messages are kept for replay; 0s keeps none.
    #[serde(default)]
    #[schema(value_type = Pause)]
    retention: Given<Pause>,
    /// How many bytes of them are kept; beyond it the oldest go.
    #[serde(default)]
    #[schema(value_type = Capacity)]
    retention_bytes: Given<Capacity>,
    /// How long ids are remembered of what a queue took, or has as a dead letter for want of room; 0s turns
    /// deduplication off.
    #[serde(default)]
    #[schema(value_type = Pause)]
    deduplication_window: Given<Pause>,
    /// How many ids are remembered; beyond it the oldest is forgotten early.
    #[serde(default)]
    #[schema(value_type = Count)]
    max_deduplication_ids: Given<Count>,
}

impl From<&TopicSettings> for Settings {
    fn from(settings: &TopicSettings) -> Self {
        Self {
            retention: settings.retention,
            retention_bytes: settings.retention_bytes,
            deduplication_window: settings.deduplication_window,
            max_deduplication_ids: settings.max_deduplication_ids,
        }
    }
}

impl From<SettingsToSet> for TopicSettingsPatch {
    fn from(set: SettingsToSet) -> Self {
        Self {
            retention: set.retention.map(|Span(retention)| retention),
            retention_bytes: set.retention_bytes.map(|Bytes(bytes)| bytes),
            deduplication_window: set.deduplication_window.map(|Span(window)| window),
            max_deduplication_ids: set.max_deduplication_ids.map(|Whole(number)| number),
        }
    }
}

impl Topic {
    fn of(core: &Core, view: &TopicView<'_>) -> Self {
        Self {
            name: view.name.to_string(),
            settings: view.settings.into(),
            retained: Kept { messages: view.retained, bytes: view.retained_bytes },
            subscriptions: core.subscriptions(view.name).iter().map(Subscription::of).collect(),
        }
    }
}

/// Create a topic, or change its settings.
#[utoipa::path(put, path = "/topics/{topic}", operation_id = "put_topic", tag = "topics",
    params(InTopic, ("If-None-Match" = Option<String>, Header, description = "`*` only creates")),
    request_body = SettingsToSet,
    responses(
        (status = 201, description = "Created", body = Topic),
        (status = 200, description = "It existed; its settings are as asked", body = Topic),
        (status = 409, description = "`too-many-queues`: queues and topics together"),
        (status = 412, description = "`already-exists`: with `If-None-Match: *`"),
    ))]
async fn put(
    State(api): State<Api>,
    caller: Caller,
    Path(path): Path<InTopic>,
    _: NoQuery,
    headers: HeaderMap,
    Asked { set, json }: Asked<SettingsToSet>,
) -> Result<(StatusCode, Json<Topic>), Problem> {
    let name = path.name()?;
    let only_create = only_creates(&headers);
    let put = Command::PutTopic { name: name.clone(), settings: set.into(), only_create };
    let note = Note::settings(caller.name(), "put-topic").topic(&name).request(&json);
    let status = put_status(&api.broker.send_by_hand(put, note).await?)?;
    Ok((status, Json(look(&api, name).await?)))
}

/// One topic with its subscriptions.
#[utoipa::path(get, path = "/topics/{topic}", operation_id = "get_topic", tag = "topics", params(InTopic), responses(
    (status = 200, description = "The topic", body = Topic),
    (status = 404, description = "`topic-not-found`"),
))]
async fn show(State(api): State<Api>, Path(path): Path<InTopic>, _: NoQuery) -> Result<Json<Topic>, Problem> {
    Ok(Json(look(&api, path.name()?).await?))
}

async fn look(api: &Api, name: Name) -> Result<Topic, Problem> {
    let wanted = name.clone();
    let found =
        api.broker.look(move |core, _| core.topic(&wanted).map(|view| Topic::of(core, &view))).await?;
    found.ok_or_else(|| BrokerError::from(Refusal::TopicNotFound(name)).into())
}

/// All topics on which the token has any role, by name.
#[utoipa::path(get, path = "/topics", operation_id = "list_topics", tag = "topics", params(ByName), responses(
    (status = 200, description = "A page of topics", body = Page<Topic>),
))]
async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(page): Query<ByName>,
) -> Result<Json<Page<Topic>>, Problem> {
    let (after, wanted) = (page.after()?, page.wanted());
    let page = api.broker.look(move |core, _| {
        let seen = core.topics(after.as_ref()).filter(|view| caller.may_any(view.name.as_str()));
        page::of(seen, wanted, |view| view.name, |view| Topic::of(core, view))
    });
    Ok(Json(page.await?))
}

/// Remove a topic with its subscriptions; messages already in queues stay.
#[utoipa::path(delete, path = "/topics/{topic}", operation_id = "delete_topic", tag = "topics", params(InTopic), responses(
    (status = 204, description = "Removed"),
    (status = 404, description = "`topic-not-found`"),
))]
async fn delete(
    State(api): State<Api>,
    caller: Caller,
    Path(path): Path<InTopic>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    let name = path.name()?;
    let note = Note::always(caller.name(), "delete-topic").topic(&name);
    api.broker.send_by_hand(Command::DeleteTopic { name }, note).await?;
    Ok(StatusCode::NO_CONTENT)
}
