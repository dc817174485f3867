//! Queues: declare, look, list, remove, purge, and remove one message.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use broker_core::{
    Core,
    command::Command,
    identity::Name,
    reply::{Refusal, Reply},
};
use serde::{Deserialize, Serialize};
use serve::{
    extract::{Nothing, Path, Query},
    page::Page,
    problem::{INTERNAL, Problem},
};
use units::Timestamp;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    asked::Asked,
    page::{self, ByName},
    path::{BySource, InQueue, InQueueById, NoQuery},
};
use crate::{
    auth::{Caller, grant::Role},
    engine::note::Note,
    error::BrokerError,
};

mod counts;
pub(super) mod settings;

use counts::Counts;
use settings::{Settings, SettingsToSet};

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(put, show, delete))
        .routes(routes!(remove_message))
        .routes(routes!(purge))
}

/// A queue.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Queue {
    /// Its name.
    name: String,
    settings: Settings,
    counts: Counts,
}

impl Queue {
    fn of(view: &broker_core::view::QueueView<'_>, now: Timestamp) -> Self {
        Self { name: view.name.to_string(), settings: view.settings.into(), counts: Counts::of(view, now) }
    }
}

/// Create a queue, or change its settings.
///
/// The body names the settings to set; of a queue that exists, the others keep their values. Declaring
/// the same again changes nothing.
#[utoipa::path(put, path = "/queues/{queue}", operation_id = "put_queue", tag = "queues",
    params(InQueue, ("If-None-Match" = Option<String>, Header, description = "`*` only creates")),
    request_body = SettingsToSet,
    responses(
        (status = 201, description = "Created", body = Queue),
        (status = 200, description = "It existed; its settings are as asked", body = Queue),
        (status = 409, description = "`setting-conflict`: a setting that can't change while messages wait; or `too-many-queues`"),
        (status = 412, description = "`already-exists`: with `If-None-Match: *`"),
    ))]
async fn put(
    State(api): State<Api>,
    caller: Caller,
    Path(path): Path<InQueue>,
    _: NoQuery,
    headers: HeaderMap,
    Asked { set, json }: Asked<SettingsToSet>,
) -> Result<(StatusCode, Json<Queue>), Problem> {
    let name = path.name()?;
    let only_create = only_creates(&headers);
    let put = Command::PutQueue { name: name.clone(), settings: set.into(), only_create };
    let note = Note::settings(caller.name(), "put-queue").queue(&name).request(&json);
    let status = put_status(&api.broker.send_by_hand(put, note).await?)?;
    Ok((status, Json(look(&api, name).await?)))
}

/// Whether a PUT may only create.
pub(super) fn only_creates(headers: &HeaderMap) -> bool {
    headers.get("if-none-match").is_some_and(|value| value.as_bytes().trim_ascii() == b"*")
}

/// The status of a put: 201 where something was created.
pub(super) fn put_status(reply: &Reply) -> Result<StatusCode, Problem> {
    match reply {
        Reply::Put { created: true } => Ok(StatusCode::CREATED),
        Reply::Put { created: false } => Ok(StatusCode::OK),
        other => Err(unexpected(other)),
    }
}

/// The problem of a reply that does not fit its command: a fault in this program.
pub(super) fn unexpected(reply: &Reply) -> Problem {
    tracing::error!(reply = ?reply, "a reply that does not fit its command");
    Problem::new(&INTERNAL)
}

/// One queue: settings and counts.
#[utoipa::path(get, path = "/queues/{queue}", operation_id = "get_queue", tag = "queues", params(InQueue), responses(
    (status = 200, description = "The queue", body = Queue),
    (status = 404, description = "`queue-not-found`"),
))]
async fn show(State(api): State<Api>, Path(path): Path<InQueue>, _: NoQuery) -> Result<Json<Queue>, Problem> {
    Ok(Json(look(&api, path.name()?).await?))
}

async fn look(api: &Api, name: Name) -> Result<Queue, Problem> {
    let wanted = name.clone();
    let found =
        api.broker.look(move |core, now| core.queue(&wanted).map(|view| Queue::of(&view, now))).await?;
    found.ok_or_else(|| not_found(name))
}

/// The problem of a queue that is not there.
pub(super) fn not_found(name: Name) -> Problem {
    BrokerError::from(Refusal::QueueNotFound(name)).into()
}

/// Looks at something in a queue, where there is such a queue.
pub(super) async fn look_into<T: Send + 'static>(
    api: &Api,
    queue: &Name,
    look: impl FnOnce(&Core) -> T + Send + 'static,
) -> Result<T, Problem> {
    let wanted = queue.clone();
    let seen = api.broker.look(move |core, _| core.queue(&wanted).is_some().then(|| look(core))).await?;
    seen.ok_or_else(|| not_found(queue.clone()))
}

/// All queues that the token may consume from, by name.
#[utoipa::path(get, path = "/queues", operation_id = "list_queues", tag = "queues", params(ByName), responses(
    (status = 200, description = "A page of queues", body = Page<Queue>),
))]
async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(page): Query<ByName>,
) -> Result<Json<Page<Queue>>, Problem> {
    let (after, wanted) = (page.after()?, page.wanted());
    let page = api.broker.look(move |core, now| {
        let seen = core.queues(after.as_ref()).filter(|view| caller.may(Role::Consume, view.name.as_str()));
        page::of(seen, wanted, |view| view.name, |view| Queue::of(view, now))
    });
    Ok(Json(page.await?))
}

/// How a queue is removed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Removal {
    /// Also with messages in it.
    #[serde(default)]
    #[param(default = false)]
    force: bool,
}

/// Remove a queue with its messages and subscriptions.
#[utoipa::path(delete, path = "/queues/{queue}", operation_id = "delete_queue", tag = "queues", params(InQueue, Removal), responses(
    (status = 204, description = "Removed"),
    (status = 404, description = "`queue-not-found`"),
    (status = 409, description = "`queue-not-empty`: without `force`"),
))]
async fn delete(
    State(api): State<Api>,
    caller: Caller,
    Path(path): Path<InQueue>,
    Query(Removal { force }): Query<Removal>,
) -> Result<StatusCode, Problem> {
    let name = path.name()?;
    let note = Note::always(caller.name(), "delete-queue").queue(&name);
    api.broker.send_by_hand(Command::DeleteQueue { name, force }, note).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Remove a waiting message; a delayed one too, which cancels it.
#[utoipa::path(delete, path = "/queues/{queue}/messages/{id}", operation_id = "remove_message", tag = "queues", params(InQueueById, BySource), responses(
    (status = 204, description = "All waiting messages of this id are removed"),
    (status = 404, description = "`queue-not-found` or `message-not-found`"),
    (status = 409, description = "`message-leased`"),
))]
async fn remove_message(
    State(api): State<Api>,
    caller: Caller,
    Path(path): Path<InQueueById>,
    Query(source): Query<BySource>,
) -> Result<StatusCode, Problem> {
    let (queue, message) = (path.queue()?, path.selector(&source));
    let request = serde_json::json!({"ids": [path.id]});
    let note = Note::new(caller.name(), "remove").queue(&queue).request(&request);
    api.broker.send_by_hand(Command::RemoveMessage { queue, message }, note).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How many messages were dropped.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Purged {
    purged: u64,
}

impl Purged {
    /// So many.
    pub(super) const fn of(purged: u64) -> Json<Self> {
        Json(Self { purged })
    }
}

/// Drop the ready and delayed messages.
///
/// Very many are dropped in slices, with other calls in between: what is published meanwhile stays, what comes
/// to wait again meanwhile goes too. Where it fails in the middle, the audit trail says how many were dropped.
#[utoipa::path(post, path = "/queues/{queue}/purge", operation_id = "purge_queue", tag = "queues", params(InQueue), request_body = Nothing,
    responses(
        (status = 200, description = "How many were dropped", body = Purged),
        (status = 404, description = "`queue-not-found`"),
    ))]
async fn purge(
    State(api): State<Api>,
    caller: Caller,
    Path(path): Path<InQueue>,
    _: NoQuery,
    serve::extract::Json(Nothing {}): serve::extract::Json<Nothing>,
) -> Result<Json<Purged>, Problem> {
    let name = path.name()?;
    let note = Note::new(caller.name(), "purge").queue(&name);
    Ok(Purged::of(api.broker.purge(name, &note).await?))
}
