//! The HTTP face of the service: what was sent.

pub mod emails;
pub mod problem;

use axum::Router;
use serve::health::Health;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::store::Store;

#[derive(OpenApi)]
#[openapi(info(
    title = "email-service",
    description = "Sends the mails of the order pipeline: to a maildir, or by SMTP."
))]
struct Description;

/// All routes.
pub fn router(store: Store, health: &Health) -> Router {
    let routes = OpenApiRouter::with_openapi(Description::openapi())
        .merge(emails::router().with_state(store))
        .merge(health.router())
        .merge(serve::metrics::router());
    serve::openapi::finish(routes, problem::TABLE)
}
