//! The HTTP face of the service: the summary.

pub mod summary;

use axum::Router;
use serve::health::Health;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use self::summary::Source;

#[derive(OpenApi)]
#[openapi(info(
    title = "analytics-service",
    description = "Counts what happens in the order pipeline, at most once."
))]
struct Description;

/// All routes. The service has no problems of its own beyond those that every program has.
pub fn router(source: Source, health: &Health) -> Router {
    let routes = OpenApiRouter::with_openapi(Description::openapi())
        .merge(summary::router().with_state(source))
        .merge(health.router())
        .merge(serve::metrics::router());
    serve::openapi::finish(routes, &[])
}
