//! `GET /emails` lists what was sent; `GET /emails/{id}` is one as it went out.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use events::OrderId;
use serde::Deserialize;
use serve::{
    extract::{NoQuery, Path, Query},
    page::{Limit, Page, invalid_cursor},
    problem::{Problem, ProblemBody},
};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::problem::EMAIL_NOT_FOUND;
use crate::store::{Email, Listed, Listing, Store};

/// The routes.
pub fn router() -> OpenApiRouter<Store> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show))
}

/// Which mails.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EmailsQuery {
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

/// The mails that were sent, oldest first.
#[utoipa::path(get, path = "/emails", tag = "emails", params(EmailsQuery), responses(
    (status = 200, description = "A page of them", body = Page<Email>),
    (status = 422, description = "`invalid-field`", body = ProblemBody, content_type = "application/problem+json"),
))]
async fn list(
    State(store): State<Store>,
    Query(query): Query<EmailsQuery>,
) -> Result<axum::Json<Page<Email>>, Problem> {
    let after = query.cursor.as_deref().map_or(Ok(0), place_of)?;
    let limit = query.limit.get();
    // One more than asked for tells whether there is a next page.
    let listing = Listing { order: query.order, after, limit: limit + 1 };
    let mut items = store.list(listing).await.map_err(|error| Problem::internal(&error))?;
    let more = items.len() > limit;
    items.truncate(limit);
    let next_cursor = items.last().filter(|_| more).map(|last| last.seq.to_string());
    Ok(axum::Json(Page { items: items.into_iter().map(|Listed { email, .. }| email).collect(), next_cursor }))
}

/// The place that a cursor stands for.
fn place_of(cursor: &str) -> Result<i64, Problem> {
    cursor.parse().ok().filter(|place| *place >= 0).ok_or_else(invalid_cursor)
}

/// One mail, as it was sent.
#[utoipa::path(get, path = "/emails/{id}", tag = "emails",
    params(("id" = String, Path, description = "The mail's id", format = Uuid)),
    responses(
        (status = 200, description = "The message", body = String, content_type = "message/rfc822"),
        (status = 404, description = "`email-not-found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-field`", body = ProblemBody, content_type = "application/problem+json"),
    ))]
async fn show(State(store): State<Store>, Path(id): Path<String>, _: NoQuery) -> Result<Response, Problem> {
    let not_found = || Problem::new(&EMAIL_NOT_FOUND).detail(format!("there is no mail {id:?}"));
    let uuid: Uuid = id.parse().map_err(|_| not_found())?;
    let message =
        store.message(uuid).await.map_err(|error| Problem::internal(&error))?.ok_or_else(not_found)?;
    Ok(([(header::CONTENT_TYPE, "message/rfc822")], message).into_response())
}
