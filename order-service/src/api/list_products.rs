//! `GET /products`: what there is to order.

use axum::{Json, extract::State};
use serde::Deserialize;
use serve::{
    extract::Query,
    page::{Limit, Page, invalid_cursor},
    problem::{Problem, ProblemBody},
};
use utoipa::IntoParams;

use super::App;
use crate::product::{Product, is_sku};

/// How many, and from where on.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Ask {
    /// How many products at the most.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: Limit,
    /// Where to go on: `next_cursor` of the page before.
    #[param(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    cursor: Option<String>,
}

/// The products, by SKU.
#[utoipa::path(get, path = "/products", tag = "products", params(Ask), responses(
    (status = 200, description = "A page of products", body = Page<Product>),
    (status = 422, description = "`invalid-field`", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn list_products(
    State(app): State<App>,
    Query(ask): Query<Ask>,
) -> Result<Json<Page<Product>>, Problem> {
    // A cursor is the last SKU shown.
    if ask.cursor.as_deref().is_some_and(|cursor| !is_sku(cursor)) {
        return Err(invalid_cursor());
    }
    let limit = ask.limit.get();
    let mut items = app.0.store.products(ask.cursor.as_deref().unwrap_or(""), limit + 1).await?;
    let more = items.len() > limit;
    items.truncate(limit);
    let next_cursor = items.last().filter(|_| more).map(|product| product.sku.to_string());
    Ok(Json(Page { items, next_cursor }))
}
