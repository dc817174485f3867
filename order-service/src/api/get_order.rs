//! `GET /orders/{id}`: an order, at once or when it is no longer pending.

use std::{sync::Arc, time::Duration};

use axum::{Json, extract::State};
use events::OrderId;
use serde::{Deserialize, Deserializer, de::Error};
use serve::{
    extract::{Path, Query},
    problem::{Problem, ProblemBody},
};
use tokio::time::{Instant, sleep};
use utoipa::IntoParams;

use super::{App, problem::ORDER_NOT_FOUND};
use crate::order::{Order, Status};

/// The longest wait.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// How often to look again for what another process may have changed.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How to answer.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Ask {
    /// Answer when the order is no longer pending, or after this time: "0s" to "60s".
    #[param(value_type = Option<String>, example = "1s", pattern = "^[0-9]{1,5}(ms|s)$|^[01]m$")]
    #[serde(default)]
    wait: Wait,
}

/// A wait of 0 to 60 s.
#[derive(Debug, Clone, Copy, Default)]
struct Wait(Duration);

impl<'de> Deserialize<'de> for Wait {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wait = units::duration::deserialize(deserializer)?;
        if wait > MAX_WAIT { Err(D::Error::custom("wait is 0s to 60s")) } else { Ok(Self(wait)) }
    }
}

/// An order with its timeline.
#[utoipa::path(get, path = "/orders/{id}", tag = "orders",
    params(("id" = String, Path, description = "The order's id"), Ask),
    responses(
        (status = 200, description = "The order", body = Order),
        (status = 404, description = "`order-not-found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-field`", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(super) async fn get_order(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(ask): Query<Ask>,
) -> Result<Json<Order>, Problem> {
    let id = order_id(&id)?;
    if ask.wait.0.is_zero() {
        return find(&app, id).await.map(Json);
    }
    let until = Instant::now() + ask.wait.0;
    let mut waiting = app.0.store.changes().wait_for(id);
    loop {
        let order = find(&app, id).await?;
        let left = until.saturating_duration_since(Instant::now());
        if order.status != Status::Pending || left.is_zero() || app.0.stop.is_cancelled() {
            return Ok(Json(order));
        }
        tokio::select! {
            Some(order) = waiting.changed() => return Ok(Json(Arc::unwrap_or_clone(order))),
            () = sleep(left.min(LOOK_AGAIN)) => {}
            () = app.0.stop.cancelled() => {}
        }
    }
}

/// The order, or the problem that there is none.
pub(super) async fn find(app: &App, id: OrderId) -> Result<Order, Problem> {
    app.0.store.order(id).await?.ok_or_else(|| not_found(&id.to_string()))
}

/// The id in a path; what is no id is an order that there is not.
pub(super) fn order_id(text: &str) -> Result<OrderId, Problem> {
    text.parse().map_err(|_| not_found(text))
}

fn not_found(id: &str) -> Problem {
    Problem::new(&ORDER_NOT_FOUND).detail(format!("there is no order {id}"))
}
