//! The HTTP face of the service: the stock, the reservations, the outbox.

pub mod problem;
pub mod reservations;
pub mod stock;

use axum::Router;
use messaging::{Database, Outbox};
use operations::outbox;
use serve::health::Health;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

#[derive(OpenApi)]
#[openapi(info(
    title = "inventory-service",
    description = "Reserves, commits and releases the stock of the order pipeline, an order whole or not at all."
))]
struct Description;

/// All routes.
pub fn router(database: Database, outbox: Outbox, health: &Health) -> Router {
    let kept = OpenApiRouter::new().merge(stock::router()).merge(reservations::router());
    let routes = OpenApiRouter::with_openapi(Description::openapi())
        .merge(kept.with_state(database))
        .merge(outbox::router().with_state(outbox))
        .merge(health.router())
        .merge(serve::metrics::router());
    serve::openapi::finish(routes, problem::TABLE)
}
