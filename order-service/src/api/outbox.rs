//! `/outbox`: what waits to be published, and what a person does with what was refused for good.

use axum::{Json, extract::State, http::StatusCode};
use messaging::{DatabaseError, outbox::OutboxStatus};
use serde::{Deserialize, Serialize};
use serve::{
    extract::{self, Path},
    problem::{Problem, ProblemBody},
};
use units::Timestamp;
use utoipa::ToSchema;

use super::{App, problem::SET_ASIDE_NOT_FOUND};
use crate::store::StoreError;

/// How the outbox stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OutboxBody {
    /// Events that wait to be published.
    depth: u64,
    /// The age of the oldest of them, as a duration such as "2s"; null when there is none.
    #[schema(example = "2s")]
    oldest_age: Option<String>,
    /// What the broker refused for good, oldest first, at most 1000.
    set_aside: Vec<SetAsideBody>,
}

/// An event that was set aside; later ones of its order wait behind it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SetAsideBody {
    /// The event's id.
    id: String,
    /// The event's type.
    r#type: String,
    /// The event's key: the order's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Why it was refused.
    error: String,
    /// When.
    at: Timestamp,
}

/// Nothing is asked for besides.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Retry {}

/// How the outbox stands.
#[utoipa::path(get, path = "/outbox", tag = "outbox", responses(
    (status = 200, description = "How it stands", body = OutboxBody),
))]
pub(super) async fn get_outbox(State(app): State<App>) -> Result<Json<OutboxBody>, Problem> {
    let OutboxStatus { depth, oldest_age, set_aside } =
        app.0.store.outbox().status().await.map_err(failed)?;
    let set_aside = set_aside.into_iter().map(|row| SetAsideBody {
        id: row.id,
        r#type: row.kind,
        key: row.key,
        error: row.error,
        at: row.at,
    });
    let oldest_age = oldest_age.map(units::format_duration);
    Ok(Json(OutboxBody { depth, oldest_age, set_aside: set_aside.collect() }))
}

/// Let an event that was set aside go again.
#[utoipa::path(post, path = "/outbox/{id}/retry", tag = "outbox",
    params(("id" = String, Path, description = "The event's id")),
    request_body = Option<Retry>,
    responses(
        (status = 202, description = "It will be published again"),
        (status = 400, description = "`malformed-json`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`set-aside-not-found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`body-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-field`", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(super) async fn retry(
    State(app): State<App>,
    Path(id): Path<String>,
    extract::Json(_): extract::Json<Option<Retry>>,
) -> Result<StatusCode, Problem> {
    let found = app.0.store.outbox().retry(&id).await.map_err(failed)?;
    if found { Ok(StatusCode::ACCEPTED) } else { Err(not_found(&id)) }
}

/// Give up an event that was set aside: it is never published.
#[utoipa::path(delete, path = "/outbox/{id}", tag = "outbox",
    params(("id" = String, Path, description = "The event's id")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "`set-aside-not-found`", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(super) async fn discard(State(app): State<App>, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let found = app.0.store.outbox().delete(&id).await.map_err(failed)?;
    if found { Ok(StatusCode::NO_CONTENT) } else { Err(not_found(&id)) }
}

fn failed(error: DatabaseError) -> Problem {
    StoreError::from(error).into()
}

fn not_found(id: &str) -> Problem {
    Problem::new(&SET_ASIDE_NOT_FOUND).detail(format!("no event {id} is set aside"))
}
