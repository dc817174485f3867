//! `GET /products`: what there is to order.

use axum::{Json, extract::State};
use serve::{
    extract::Query,
    page::{Page, PageQuery, invalid_cursor},
    problem::{Problem, ProblemBody},
};

use super::App;
use crate::product::{Product, is_sku};

/// The products, by SKU.
#[utoipa::path(get, path = "/products", tag = "products", params(PageQuery), responses(
    (status = 200, description = "A page of products", body = Page<Product>),
    (status = 422, description = "`invalid-field`", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn list_products(
    State(app): State<App>,
    Query(ask): Query<PageQuery>,
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
