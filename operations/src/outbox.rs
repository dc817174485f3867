//! `GET /outbox` of every service that has one, and what a person does with an event that the broker
//! refused for good.

use axum::{extract::State, http::StatusCode};
use messaging::{Outbox, outbox::OutboxStatus};
use serde::Serialize;
use serve::{
    extract::{NoQuery, Path},
    problem::{Problem, ProblemBody, Slug},
};
use units::Timestamp;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Nothing of that id was set aside.
pub const OUTBOX_ROW_NOT_FOUND: Slug = Slug {
    name: "outbox-row-not-found",
    status: 404,
    title: "No event of this id is set aside",
    help: "Only events that the broker refused for good can be sent again or deleted; GET /outbox lists them under set_aside.",
};

/// The routes; [`OUTBOX_ROW_NOT_FOUND`] belongs in the service's table of slugs.
pub fn router() -> OpenApiRouter<Outbox> {
    OpenApiRouter::new().routes(routes!(show)).routes(routes!(retry)).routes(routes!(delete))
}

/// How the outbox stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Outbox)]
struct Shown {
    /// How many events wait to be published.
    depth: u64,
    /// The age of the oldest of them, such as `"2s"`; null when none waits.
    #[schema(required = true)]
    oldest_age: Option<String>,
    /// What the broker refused for good, oldest first. It holds back later events of its order.
    set_aside: Vec<SetAside>,
}

/// An event that the broker refused for good.
#[derive(Debug, Serialize, ToSchema)]
struct SetAside {
    /// Its id.
    id: String,
    /// Its type.
    r#type: String,
    /// The order whose later events wait behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Why it was refused.
    error: String,
    /// When.
    at: Timestamp,
}

impl From<OutboxStatus> for Shown {
    fn from(status: OutboxStatus) -> Self {
        let set_aside = status.set_aside.into_iter().map(|row| SetAside {
            id: row.id,
            r#type: row.kind,
            key: row.key,
            error: row.error,
            at: row.at,
        });
        Self {
            depth: status.depth,
            oldest_age: status.oldest_age.map(units::format_duration),
            set_aside: set_aside.collect(),
        }
    }
}

/// How the outbox stands.
#[utoipa::path(get, path = "/outbox", tag = "outbox", responses(
    (status = 200, description = "How it stands", body = Shown),
    (status = 422, description = "`invalid-field`", body = ProblemBody, content_type = "application/problem+json"),
))]
async fn show(State(outbox): State<Outbox>, _: NoQuery) -> Result<axum::Json<Shown>, Problem> {
    let status = outbox.status().await.map_err(|error| Problem::internal(&error))?;
    Ok(axum::Json(status.into()))
}

/// Send an event that was set aside again.
#[utoipa::path(post, path = "/outbox/{id}/retry", tag = "outbox",
    params(("id" = String, Path, description = "The event's id")),
    responses(
        (status = 202, description = "It will be sent"),
        (status = 404, description = "`outbox-row-not-found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-field`", body = ProblemBody, content_type = "application/problem+json"),
    ))]
async fn retry(
    State(outbox): State<Outbox>,
    Path(id): Path<String>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    let found = outbox.retry(&id).await.map_err(|error| Problem::internal(&error))?;
    if found { Ok(StatusCode::ACCEPTED) } else { Err(not_found(&id)) }
}

/// Delete an event that was set aside, unsent; what waited behind it goes.
#[utoipa::path(delete, path = "/outbox/{id}", tag = "outbox",
    params(("id" = String, Path, description = "The event's id")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "`outbox-row-not-found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-field`", body = ProblemBody, content_type = "application/problem+json"),
    ))]
async fn delete(
    State(outbox): State<Outbox>,
    Path(id): Path<String>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    let found = outbox.delete(&id).await.map_err(|error| Problem::internal(&error))?;
    if found { Ok(StatusCode::NO_CONTENT) } else { Err(not_found(&id)) }
}

fn not_found(id: &str) -> Problem {
    Problem::new(&OUTBOX_ROW_NOT_FOUND).detail(format!("no event {id:?} is set aside"))
}
