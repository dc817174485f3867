//! The HTTP face of the service: what became of the payments, the sandbox gateway, the outbox.

pub mod ledger;
pub mod payments;
pub mod problem;
pub mod sandbox;

use axum::Router;
use messaging::{Database, Outbox};
use operations::outbox;
use serve::health::Health;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::gateway::sandbox::Sandbox;

#[derive(OpenApi)]
#[openapi(info(
    title = "payment-service",
    description = "Authorizes, captures, voids and refunds the payments of the order pipeline, each once."
))]
struct Description;

/// All routes.
pub fn router(database: Database, outbox: Outbox, sandbox: Sandbox, health: &Health) -> Router {
    let gateway = OpenApiRouter::new().merge(ledger::router()).merge(sandbox::router()).with_state(sandbox);
    let routes = OpenApiRouter::with_openapi(Description::openapi())
        .merge(payments::router().with_state(database))
        .merge(gateway)
        .merge(outbox::router().with_state(outbox))
        .merge(health.router())
        .merge(serve::metrics::router());
    serve::openapi::finish(routes, problem::TABLE)
}
