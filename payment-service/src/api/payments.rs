//! `GET /payments/{order_id}` is one order's payment; `GET /payments` lists them, newest first.

use axum::extract::State;
use events::{Money, OrderId};
use messaging::Database;
use serde::{Deserialize, Serialize};
use serve::{
    extract::{NoQuery, Path, Query},
    page::{Limit, Page, invalid_cursor},
    problem::{Problem, ProblemBody},
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::problem::PAYMENT_NOT_FOUND;
use crate::{
    gateway::Operation,
    payment::{Attempt, Payment, Status},
    store::{self, Stored},
};

/// The routes.
pub fn router() -> OpenApiRouter<Database> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show))
}

/// How a payment stands.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Stage {
    Pending,
    Authorized,
    Captured,
    Voided,
    Refunded,
    Declined,
}

/// One order's payment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Payment)]
struct Shown {
    /// Of which order.
    order_id: OrderId,
    /// The order's total.
    amount: Money,
    /// How it stands.
    state: Stage,
    /// What is under way at, or owed to, the gateway; absent when nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    open_intent: Option<Operation>,
    /// The calls of the gateway, oldest first; the last 50.
    attempts: Vec<Attempt>,
}

impl From<Payment> for Shown {
    fn from(payment: Payment) -> Self {
        let state = match payment.status {
            Status::Pending => Stage::Pending,
            Status::Authorized | Status::CaptureRefused => Stage::Authorized,
            Status::Captured => Stage::Captured,
            Status::Declined => Stage::Declined,
            Status::Voided => Stage::Voided,
            Status::Refunded => Stage::Refunded,
        };
        let Payment { order_id, amount, intent: open_intent, attempts, .. } = payment;
        Self { order_id, amount, state, open_intent, attempts }
    }
}

/// Which payments.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PaymentsQuery {
    /// Only those with an open gateway intent (true), or without one (false).
    open: Option<bool>,
    /// How many items at the most.
    #[serde(default)]
    #[param(value_type = u32, minimum = 1, maximum = 1000, default = 100)]
    limit: Limit,
    /// Where to go on: `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The payments, newest order first.
#[utoipa::path(get, path = "/payments", tag = "payments", params(PaymentsQuery), responses(
    (status = 200, description = "A page of them", body = Page<Shown>),
    (status = 422, description = "`invalid-field`", body = ProblemBody, content_type = "application/problem+json"),
))]
async fn list(
    State(database): State<Database>,
    Query(query): Query<PaymentsQuery>,
) -> Result<axum::Json<Page<Shown>>, Problem> {
    let before = query.cursor.as_deref().map(place_of).transpose()?;
    let limit = query.limit.get();
    // One more than asked for tells whether there is a next page.
    let mut items = store::list(database.reader(), query.open, before, limit + 1)
        .await
        .map_err(|error| Problem::internal(&error))?;
    let more = items.len() > limit;
    items.truncate(limit);
    let next_cursor = items.last().filter(|_| more).map(|last| last.payment.order_id.0.simple().to_string());
    let items = items.into_iter().map(|Stored { payment, .. }| payment.into()).collect();
    Ok(axum::Json(Page { items, next_cursor }))
}

/// The order that a cursor stands for.
fn place_of(cursor: &str) -> Result<OrderId, Problem> {
    cursor.parse().map_err(|_| invalid_cursor())
}

/// One order's payment.
#[utoipa::path(get, path = "/payments/{order_id}", tag = "payments",
    params(("order_id" = String, Path, description = "The order's id", format = Uuid)),
    responses(
        (status = 200, description = "Its payment", body = Shown),
        (status = 404, description = "`payment-not-found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-field`", body = ProblemBody, content_type = "application/problem+json"),
    ))]
async fn show(
    State(database): State<Database>,
    Path(id): Path<String>,
    _: NoQuery,
) -> Result<axum::Json<Shown>, Problem> {
    let not_found =
        || Problem::new(&PAYMENT_NOT_FOUND).detail(format!("no payment of order {id:?} is known"));
    let order_id: Uuid = id.parse().map_err(|_| not_found())?;
    let stored =
        store::get(database.reader(), OrderId(order_id)).await.map_err(|error| Problem::internal(&error))?;
    Ok(axum::Json(stored.ok_or_else(not_found)?.payment.into()))
}
