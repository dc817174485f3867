//! The HTTP face of the service, one endpoint a file. Thin: read, check, ask, answer; no rule lives here.

pub mod cancel_order;
pub mod get_order;
pub mod list_keys;
pub mod list_orders;
pub mod list_products;
pub mod place_order;
pub mod problem;
pub mod put_product;
mod trace;

use std::{sync::Arc, time::Duration};

use axum::Router;
use operations::outbox;
use serve::health::Health;
use tokio_util::sync::CancellationToken;
use utoipa::{OpenApi, openapi::OpenApi as Document};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{catalogue::Catalogue, config::Config, idempotency::InFlight, store::Store};

/// What the endpoints work with; clones share it.
#[derive(Clone, Debug)]
pub struct App(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    store: Store,
    catalogue: Catalogue,
    in_flight: InFlight,
    deadline: Duration,
    compensation_deadline: Duration,
    stop: CancellationToken,
}

impl App {
    /// The endpoints' parts. `stop` ends long polls.
    #[must_use]
    pub fn new(store: Store, config: &Config, stop: CancellationToken) -> Self {
        Self(Arc::new(Parts {
            catalogue: Catalogue::new(store.clone()),
            store,
            in_flight: InFlight::default(),
            deadline: config.deadline,
            compensation_deadline: config.compensation_deadline,
            stop,
        }))
    }
}

#[derive(OpenApi)]
#[openapi(info(
    title = "order-service",
    description = "Takes orders, and sees each of them through to confirmed or cancelled."
))]
struct Description;

/// All routes.
pub fn router(app: App, health: &Health) -> Router {
    let outbox = app.0.store.outbox().clone();
    let document: Document = Description::openapi();
    let routes = OpenApiRouter::with_openapi(document)
        .routes(routes!(list_products::list_products))
        .routes(routes!(put_product::put_product))
        .routes(routes!(list_orders::list_orders, place_order::place_order))
        .routes(routes!(list_keys::list_keys))
        .routes(routes!(get_order::get_order))
        .routes(routes!(cancel_order::cancel_order))
        .with_state(app)
        .merge(outbox::router().with_state(outbox))
        .merge(health.router())
        .merge(serve::metrics::router());
    serve::openapi::finish(routes, problem::TABLE)
}
