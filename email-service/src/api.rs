//! The HTTP face of the service: what was sent.

pub mod emails;
pub mod problem;

use axum::Router;
use serve::health::Health;
use utoipa_axum::router::OpenApiRouter;

use crate::store::Store;

/// All routes.
pub fn router(store: Store, health: &Health) -> Router {
    let routes = OpenApiRouter::new()
        .merge(emails::router().with_state(store))
        .merge(health.router())
        .merge(serve::metrics::router());
    serve::openapi::finish(routes, problem::TABLE)
}
