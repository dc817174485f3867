//! `GET /reservations/{order_id}` is what is held for an order; `GET /reservations` lists all of them.

use axum::extract;
use events::{OrderId, StockLine};
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

use super::problem::RESERVATION_NOT_FOUND;
use crate::{
    reservation::State,
    store::{self, Reservation},
};

/// The routes.
pub fn router() -> OpenApiRouter<Database> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show))
}

/// How a reservation stands.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
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

impl From<State> for Standing {
    fn from(state: State) -> Self {
        match state {
            State::Reserved => Self::Reserved,
            State::Committed => Self::Committed,
            State::Released => Self::Released,
            State::Rejected => Self::Rejected,
        }
    }
}

impl From<Standing> for State {
    fn from(standing: Standing) -> Self {
        match standing {
            Standing::Reserved => Self::Reserved,
            Standing::Committed => Self::Committed,
            Standing::Released => Self::Released,
            Standing::Rejected => Self::Rejected,
        }
    }
}

impl From<Reservation> for Shown {
    fn from(reservation: Reservation) -> Self {
        let Reservation { order_id, state, lines } = reservation;
        Self { order_id, state: state.into(), lines }
    }
}

/// Which reservations.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ReservationsQuery {
    /// Only those that stand so.
    #[param(inline)]
    state: Option<Standing>,
    /// How many items at the most.
    #[serde(default)]
    #[param(value_type = u32, minimum = 1, maximum = 1000, default = 100, required = false)]
    limit: Limit,
    /// Where to go on: `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The reservations, newest order first.
#[utoipa::path(get, path = "/reservations", tag = "reservations", params(ReservationsQuery), responses(
    (status = 200, description = "A page of them", body = Page<Shown>),
    (status = 422, description = "`invalid-field`", body = ProblemBody, content_type = "application/problem+json"),
))]
async fn list(
    extract::State(database): extract::State<Database>,
    Query(query): Query<ReservationsQuery>,
) -> Result<axum::Json<Page<Shown>>, Problem> {
    let before = query.cursor.as_deref().map(str::parse).transpose().map_err(|_| invalid_cursor())?;
    let limit = query.limit.get();
    // One more than asked for tells whether there is a next page.
    let mut items = store::reservations(database.reader(), query.state.map(State::from), before, limit + 1)
        .await
        .map_err(|error| Problem::internal(&error))?;
    let more = items.len() > limit;
    items.truncate(limit);
    let next_cursor = items.last().filter(|_| more).map(|last| last.order_id.0.simple().to_string());
    Ok(axum::Json(Page { items: items.into_iter().map(Shown::from).collect(), next_cursor }))
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
    _: NoQuery,
) -> Result<axum::Json<Shown>, Problem> {
    let not_found =
        || Problem::new(&RESERVATION_NOT_FOUND).detail(format!("no reservation of order {id:?} is known"));
    let order_id: Uuid = id.parse().map_err(|_| not_found())?;
    let found =
        store::get(database.reader(), OrderId(order_id)).await.map_err(|error| Problem::internal(&error))?;
    Ok(axum::Json(found.ok_or_else(not_found)?.into()))
}
