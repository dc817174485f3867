//! `GET /reservations/{order_id}`: what is held for an order.

use axum::extract;
use events::{OrderId, StockLine};
use messaging::Database;
use serde::Serialize;
use serve::{
    extract::Path,
    problem::{Problem, ProblemBody},
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::problem::{RESERVATION_NOT_FOUND, broken};
use crate::{
    reservation::State,
    store::{self, Reservation},
};

/// The route.
pub fn router() -> OpenApiRouter<Database> {
    OpenApiRouter::new().routes(routes!(show))
}

/// How a reservation stands.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Standing {
    Reserved,
    Committed,
    Released,
    Rejected,
}

/// One order's reservation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reservation)]
struct Shown {
    /// Of which order.
    order_id: OrderId,
    /// How it stands.
    state: Standing,
    /// What the order asked for: it is held or committed whole, or not at all.
    lines: Vec<StockLine>,
}

impl From<Reservation> for Shown {
    fn from(reservation: Reservation) -> Self {
        let state = match reservation.state {
            State::Reserved => Standing::Reserved,
            State::Committed => Standing::Committed,
            State::Released => Standing::Released,
            State::Rejected => Standing::Rejected,
        };
        Self { order_id: reservation.order_id, state, lines: reservation.lines }
    }
}

/// One order's reservation.
#[utoipa::path(get, path = "/reservations/{order_id}", tag = "reservations",
    params(("order_id" = String, Path, description = "The order's id", format = Uuid)),
    responses(
        (status = 200, description = "Its reservation", body = Shown),
        (status = 404, description = "`reservation-not-found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-field`", body = ProblemBody, content_type = "application/problem+json"),
    ))]
async fn show(
    extract::State(database): extract::State<Database>,
    Path(id): Path<String>,
) -> Result<axum::Json<Shown>, Problem> {
    let not_found =
        || Problem::new(&RESERVATION_NOT_FOUND).detail(format!("no reservation of order {id:?} is known"));
    let order_id: Uuid = id.parse().map_err(|_| not_found())?;
    let found = store::get(database.reader(), OrderId(order_id)).await.map_err(|error| broken(&error))?;
    Ok(axum::Json(found.ok_or_else(not_found)?.into()))
}
