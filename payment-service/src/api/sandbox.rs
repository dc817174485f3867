//! `GET /sandbox` and `PUT /sandbox`: the outage that the sandbox gateway plays.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serve::{
    extract::{Json, NoQuery},
    problem::{Problem, ProblemBody},
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::gateway::sandbox::{Mode, Sandbox};

/// The routes.
pub fn router() -> OpenApiRouter<Sandbox> {
    OpenApiRouter::new().routes(routes!(show, play))
}

/// How the sandbox answers.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Played {
    /// `up` at once, `down` 503 to every call, `slow` after 2 s.
    mode: Mode,
}

/// The outage that is played.
#[utoipa::path(get, path = "/sandbox", tag = "sandbox", responses(
    (status = 200, description = "How it answers", body = Played),
    (status = 422, description = "`invalid-field`", body = ProblemBody, content_type = "application/problem+json"),
))]
async fn show(State(sandbox): State<Sandbox>, _: NoQuery) -> Result<axum::Json<Played>, Problem> {
    let mode = sandbox.ledger().mode().await.map_err(|error| Problem::internal(&error))?;
    Ok(axum::Json(Played { mode }))
}

/// Play another outage, or end it. It holds over a restart.
#[utoipa::path(put, path = "/sandbox", tag = "sandbox", request_body = Played, responses(
    (status = 200, description = "How it answers from now on", body = Played),
    (status = 400, description = "`malformed-json` or `malformed-request`", body = ProblemBody, content_type = "application/problem+json"),
    (status = 413, description = "`body-too-large`", body = ProblemBody, content_type = "application/problem+json"),
    (status = 422, description = "`invalid-field`", body = ProblemBody, content_type = "application/problem+json"),
))]
async fn play(
    State(sandbox): State<Sandbox>,
    _: NoQuery,
    Json(played): Json<Played>,
) -> Result<axum::Json<Played>, Problem> {
    sandbox.ledger().set_mode(played.mode).await.map_err(|error| Problem::internal(&error))?;
    tracing::info!(mode = played.mode.name(), "sandbox_mode_changed");
    Ok(axum::Json(played))
}
