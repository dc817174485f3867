//! `GET /stock`, `GET /stock/{sku}` and `PUT /stock/{sku}`: what is there, and setting it by hand.

use axum::{extract::State, http::StatusCode};
use events::Sku;
use messaging::{Database, DatabaseError};
use serde::{Deserialize, Serialize};
use serve::{
    extract::{Json, NoQuery, Path, Query},
    page::{Page, PageQuery, invalid_cursor},
    problem::{Problem, ProblemBody},
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::problem::{BELOW_RESERVED, STOCK_NOT_FOUND};
use crate::{
    stock::{MAX_ON_HAND, Stock, parse_sku},
    store::{self, SetOnHand},
};

/// The routes.
pub fn router() -> OpenApiRouter<Database> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show, set))
}

/// The stock of one SKU, in pieces; `received` is always `on_hand` and `committed` together.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Stock)]
struct Shown {
    /// Of what.
    sku: Sku,
    /// In the warehouse, with those that are reserved.
    on_hand: i64,
    /// Held for orders that are not confirmed yet.
    reserved: i64,
    /// What can still be reserved.
    #[schema(minimum = 0)]
    available: i64,
    /// Everything ever put in, net of what was taken out by hand.
    received: i64,
    /// Gone with confirmed orders.
    committed: i64,
}

impl From<Stock> for Shown {
    fn from(stock: Stock) -> Self {
        let available = stock.available();
        let Stock { sku, on_hand, reserved, received, committed } = stock;
        Self { sku, on_hand, reserved, available, received, committed }
    }
}

/// How much is to be on hand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Pieces in the warehouse, with those that are reserved.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    on_hand: i64,
}

/// All stock, by SKU.
#[utoipa::path(get, path = "/stock", tag = "stock", params(PageQuery), responses(
    (status = 200, description = "A page of it", body = Page<Shown>),
    (status = 422, description = "`invalid-field`", body = ProblemBody, content_type = "application/problem+json"),
))]
async fn list(
    State(database): State<Database>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<Shown>>, Problem> {
    let after = query.cursor.as_deref().map(parse_sku).transpose().map_err(|_| invalid_cursor())?;
    let after = after.as_ref().map_or("", Sku::as_str);
    let limit = query.limit.get();
    // One more than asked for tells whether there is a next page.
    let mut items =
        store::list(database.reader(), after, limit + 1).await.map_err(|error| Problem::internal(&error))?;
    let more = items.len() > limit;
    items.truncate(limit);
    let next_cursor = items.last().filter(|_| more).map(|last| last.sku.to_string());
    Ok(axum::Json(Page { items: items.into_iter().map(Shown::from).collect(), next_cursor }))
}

/// The stock of one SKU.
#[utoipa::path(get, path = "/stock/{sku}", tag = "stock",
    params(("sku" = String, Path, description = "The SKU")),
    responses(
        (status = 200, description = "Its stock", body = Shown),
        (status = 404, description = "`stock-not-found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-field`", body = ProblemBody, content_type = "application/problem+json"),
    ))]
async fn show(
    State(database): State<Database>,
    Path(sku): Path<String>,
    _: NoQuery,
) -> Result<axum::Json<Shown>, Problem> {
    let sku = parse_sku(&sku)?;
    let mut connection = database.reader().acquire().await.map_err(|error| Problem::internal(&error))?;
    let found = store::on_hand(&mut connection, &sku).await.map_err(|error| Problem::internal(&error))?;
    let found =
        found.ok_or_else(|| Problem::new(&STOCK_NOT_FOUND).detail(format!("there is no stock of {sku}")))?;
    Ok(axum::Json(found.into()))
}

/// Set how much of a SKU is on hand; one that is not known is added.
#[utoipa::path(put, path = "/stock/{sku}", tag = "stock", request_body = Wanted,
    params(("sku" = String, Path, description = "The SKU", pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")),
    responses(
        (status = 200, description = "Its stock now", body = Shown),
        (status = 201, description = "It was added", body = Shown),
        (status = 400, description = "`malformed-json` or `malformed-request`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`below-reserved`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`body-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-field`", body = ProblemBody, content_type = "application/problem+json"),
    ))]
async fn set(
    State(database): State<Database>,
    Path(sku): Path<String>,
    _: NoQuery,
    Json(wanted): Json<Wanted>,
) -> Result<(StatusCode, axum::Json<Shown>), Problem> {
    let sku = parse_sku(&sku)?;
    if !(0..=MAX_ON_HAND).contains(&wanted.on_hand) {
        return Err(Problem::invalid("on_hand", "is 0 to 1000000000000 pieces"));
    }
    let set = database
        .write(move |connection| {
            Box::pin(async move {
                let set = store::set_on_hand(connection, &sku, wanted.on_hand).await;
                set.map_err(DatabaseError::from)
            })
        })
        .await
        .map_err(|error| Problem::internal(&error))?;
    match set {
        SetOnHand::Added(stock) => Ok((StatusCode::CREATED, axum::Json(stock.into()))),
        SetOnHand::Changed(stock) => Ok((StatusCode::OK, axum::Json(stock.into()))),
        SetOnHand::BelowReserved(stock) => Err(Problem::new(&BELOW_RESERVED)
            .detail(format!("{} pieces of {} are reserved", stock.reserved, stock.sku))),
    }
}
