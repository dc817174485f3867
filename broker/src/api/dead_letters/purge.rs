//! Discarding dead letters: one id's, those that fit a filter, or all.

use axum::{Json, extract::State, http::StatusCode};
use broker_core::{
    command::{Command, DeadLetters},
    reply::Reply,
};
use serde::Deserialize;
use serve::{
    extract::{Path, Query},
    problem::Problem,
};
use units::Timestamp;
use utoipa::ToSchema;

use super::{candidates::Wanted, missing, selection::Selection};
use crate::{
    api::{
        Api,
        given::{Given, Moment},
        path::{BySource, InQueue, InQueueById},
        queues::{Purged, unexpected},
    },
    auth::Caller,
    engine::note::Note,
};

/// What to discard: by ids, or all that fit a filter; `{}` is all.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PurgeBody {
    /// Only dead letters of these ids.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    ids: Given<Vec<String>>,
    /// Only of this event type.
    #[serde(default)]
    #[schema(value_type = String)]
    r#type: Given<String>,
    /// Only those whose last reason has this in it.
    #[serde(default)]
    #[schema(value_type = String)]
    reason: Given<String>,
    /// Only those that last failed at this time or later.
    #[serde(default)]
    #[schema(value_type = Moment)]
    since: Given<Timestamp>,
    /// Only those that last failed at this time or earlier.
    #[serde(default)]
    #[schema(value_type = Moment)]
    until: Given<Timestamp>,
}

/// Discard dead letters by id or by a filter.
///
/// Very many are discarded in slices, with other calls in between; where it fails in the middle, the audit trail
/// says how many were discarded.
#[utoipa::path(post, path = "/queues/{queue}/dead-letters/purge", operation_id = "purge_dead_letters", tag = "dead letters", params(InQueue, BySource),
    request_body = PurgeBody,
    responses(
        (status = 200, description = "How many were discarded", body = Purged),
        (status = 404, description = "`queue-not-found`"),
    ))]
pub(super) async fn purge(
    State(api): State<Api>,
    caller: Caller,
    Path(path): Path<InQueue>,
    Query(source): Query<BySource>,
    serve::extract::Json(body): serve::extract::Json<PurgeBody>,
) -> Result<Json<Purged>, Problem> {
    let queue = path.name()?;
    let PurgeBody { ids, r#type: Given(kind), reason: Given(reason), since, until } = body;
    let selection = Selection { kind, source: None, reason, since: *since, until: *until };
    let wanted = Wanted::of(ids.0, selection, &source)?;
    let note =
        Note::new(caller.name(), "purge-dead-letters").queue(&queue).request(&wanted.described().into());
    if wanted.is_all() {
        return Ok(Purged::of(api.broker.discard_all(queue, &note).await?));
    }
    let which = wanted.candidates(&api, &queue).await?.sequences;
    Ok(Purged::of(api.broker.discard(&queue, &which, &note).await?))
}

/// Discard all dead letters of this id.
#[utoipa::path(delete, path = "/queues/{queue}/dead-letters/{id}", operation_id = "discard_dead_letter", tag = "dead letters", params(InQueueById, BySource),
    responses(
        (status = 204, description = "Discarded"),
        (status = 404, description = "`queue-not-found` or `dead-letter-not-found`"),
    ))]
pub(super) async fn discard(
    State(api): State<Api>,
    caller: Caller,
    Path(path): Path<InQueueById>,
    Query(source): Query<BySource>,
) -> Result<StatusCode, Problem> {
    let queue = path.queue()?;
    let which = DeadLetters::Ids(vec![path.selector(&source)]);
    let request = serde_json::json!({"ids": [path.id]});
    let note = Note::new(caller.name(), "discard").queue(&queue).request(&request);
    match api.broker.send_by_hand(Command::DiscardDeadLetters { queue, which }, note).await? {
        Reply::Removed { count: 0 } => Err(missing()),
        Reply::Removed { .. } => Ok(StatusCode::NO_CONTENT),
        other => Err(unexpected(&other)),
    }
}
