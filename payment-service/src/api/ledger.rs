//! `GET /sandbox/ledger`: every operation that the sandbox gateway carried out.

use axum::extract::State;
use events::OrderId;
use serde::Deserialize;
use serve::{
    extract::Query,
    page::{Limit, Page, invalid_cursor},
    problem::{Problem, ProblemBody},
};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::gateway::sandbox::{Carried, Sandbox};

/// The route.
pub fn router() -> OpenApiRouter<Sandbox> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Which lines.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LedgerQuery {
    /// Of one order alone.
    #[param(value_type = Option<String>, format = Uuid)]
    order: Option<OrderId>,
    /// How many items at the most.
    #[serde(default)]
    #[param(value_type = u32, minimum = 1, maximum = 1000, default = 100)]
    limit: Limit,
    /// Where to go on: `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What really happened to the money, oldest first.
#[utoipa::path(get, path = "/sandbox/ledger", tag = "sandbox", params(LedgerQuery), responses(
    (status = 200, description = "A page of the ledger", body = Page<Carried>),
    (status = 422, description = "`invalid-field`", body = ProblemBody, content_type = "application/problem+json"),
))]
async fn list(
    State(sandbox): State<Sandbox>,
    Query(query): Query<LedgerQuery>,
) -> Result<axum::Json<Page<Carried>>, Problem> {
    let after = query.cursor.as_deref().map_or(Ok(0), place_of)?;
    let page = sandbox.ledger().page(query.order, after, query.limit.get()).await;
    let page = page.map_err(|error| Problem::internal(&error))?;
    Ok(axum::Json(Page { items: page.items, next_cursor: page.next_after.map(|seq| seq.to_string()) }))
}

/// The line that a cursor stands for.
fn place_of(cursor: &str) -> Result<i64, Problem> {
    cursor.parse().ok().filter(|place| *place >= 0).ok_or_else(invalid_cursor)
}
