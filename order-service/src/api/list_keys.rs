//! `GET /idempotency-keys`: which order each key stands for, newest first.

use axum::{Json, extract::State};
use events::OrderId;
use serde::Serialize;
use serve::{
    extract::Query,
    page::{Page, PageQuery},
    problem::{Problem, ProblemBody},
};
use utoipa::ToSchema;

use super::{App, list_orders};

/// An `Idempotency-Key` and what it stands for.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Shown {
    /// As the client chose it.
    key: String,
    /// The order that it was answered with.
    order_id: OrderId,
}

/// The keys of all orders, newest first.
#[utoipa::path(get, path = "/idempotency-keys", tag = "orders", params(PageQuery), responses(
    (status = 200, description = "A page of them", body = Page<Shown>),
    (status = 422, description = "`invalid-field`", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn list_keys(
    State(app): State<App>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Shown>>, Problem> {
    let before = query.cursor.as_deref().map(list_orders::read_cursor).transpose()?;
    let limit = query.limit.get();
    let mut keys = app.0.store.keys(before, limit + 1).await?;
    let more = keys.len() > limit;
    keys.truncate(limit);
    let next_cursor = keys.last().filter(|_| more).map(|last| list_orders::cursor(last.number));
    let items = keys.into_iter().map(|stored| Shown { key: stored.key, order_id: stored.order_id });
    Ok(Json(Page { items: items.collect(), next_cursor }))
}
