//! The HTTP contract: parse, check, send a command, render. No rule lives here. A file for each section
//! of the contract; every slug of the errors is in [`problem`].

mod about;
mod asked;
mod audit;
pub mod bodies;
mod browsing;
pub mod cursor;
mod dead_letters;
mod document;
mod events;
mod filters;
mod given;
mod identity;
mod json;
mod page;
mod path;
pub mod problem;
pub mod publishing;
mod queues;
pub mod receipt;
mod receiving;
mod redrives;
mod replaying;
mod settling;
mod subscriptions;
mod tokens;
mod topics;
mod watching;

use std::sync::Arc;

use axum::{Router, extract::DefaultBodyLimit, middleware};
use serve::health::Health;
use tokio::sync::Semaphore;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    auth::{guard::guard, tokens::Tokens},
    broker::Broker,
};

/// How much one request may bring.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The bytes of one message's body: of the data in binary mode, of the event's JSON otherwise.
    pub message: usize,
    /// The bytes of any request's body.
    pub request: usize,
    /// How many receives may wait for a message at a time.
    pub waiting_receives: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { message: 1 << 20, request: 16 << 20, waiting_receives: 4096 }
    }
}

/// What every handler can reach.
#[derive(Clone)]
struct Api {
    broker: Broker,
    tokens: Arc<Tokens>,
    limits: Limits,
    /// The places of receives that wait.
    waiting: Arc<Semaphore>,
}

/// The whole contract as a router, its own description and explanations included, behind the guard.
pub fn router(broker: Broker, tokens: Arc<Tokens>, health: &Health, limits: Limits) -> Router {
    serve::openapi::finish(endpoints(health), problem::TABLE)
        .layer((
            middleware::from_fn_with_state(Arc::clone(&tokens), guard),
            DefaultBodyLimit::max(limits.request),
        ))
        .with_state(Api {
            broker,
            tokens,
            limits,
            waiting: Arc::new(Semaphore::new(limits.waiting_receives)),
        })
}

/// All endpoints with their description.
fn endpoints(health: &Health) -> OpenApiRouter<Api> {
    let endpoints = OpenApiRouter::with_openapi(document::frame())
        .merge(queues::router())
        .merge(topics::router())
        .merge(subscriptions::router())
        .merge(filters::router())
        .merge(replaying::router())
        .merge(publishing::router())
        .merge(browsing::router())
        .merge(receiving::router())
        .merge(settling::router())
        .merge(dead_letters::router())
        .merge(redrives::router())
        .merge(audit::router())
        .merge(watching::router())
        .merge(events::router())
        .merge(tokens::router())
        .merge(about::router())
        .merge(health.router());
    document::with_problems(endpoints)
}
