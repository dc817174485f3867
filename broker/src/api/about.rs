//! The broker about itself: its card at `/` and its figures at `/metrics`.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serve::problem::Problem;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Api, path::NoQuery};
use crate::console;

pub(super) fn router() -> OpenApiRouter<Api> {
    // Installs the process's recorder before the first request is counted.
    serve::metrics::recorder();
    OpenApiRouter::new().routes(routes!(card)).routes(routes!(metrics))
}

/// What runs here.
#[derive(Serialize, ToSchema)]
struct Card {
    /// Always `broker`.
    #[schema(example = "broker")]
    name: &'static str,
    /// Of the program.
    #[schema(example = "0.1.0")]
    version: &'static str,
    /// Where its endpoints are described.
    #[schema(example = "/openapi.json")]
    openapi: &'static str,
    /// Where its queues are listed.
    #[schema(example = "/queues")]
    queues: &'static str,
    /// Where its topics are listed.
    #[schema(example = "/topics")]
    topics: &'static str,
    /// Where it says whether it is ready.
    #[schema(example = "/readyz")]
    ready: &'static str,
    /// Where its figures are.
    #[schema(example = "/metrics")]
    metrics: &'static str,
}

/// What runs here, and where to go on: the console where a browser asks (`Accept` names `text/html`).
#[utoipa::path(get, path = "/", operation_id = "get_card", tag = "watching", responses(
    (status = 200, description = "The card, or the console", content((Card = "application/json"), (String = "text/html"))),
))]
async fn card(headers: HeaderMap, _: NoQuery) -> Result<Response, Problem> {
    if console::is_wanted(&headers) {
        return console::page(StatusCode::OK);
    }
    let card = Json(Card {
        name: "broker",
        version: env!("CARGO_PKG_VERSION"),
        openapi: "/openapi.json",
        queues: "/queues",
        topics: "/topics",
        ready: "/readyz",
        metrics: "/metrics",
    });
    Ok(([(header::VARY, "accept")], card).into_response())
}

/// Gauges and counters per queue and topic, and histograms, as Prometheus text.
#[utoipa::path(get, path = "/metrics", operation_id = "get_metrics", tag = "watching", responses(
    (status = 200, description = "Prometheus text", body = String, content_type = "text/plain"),
))]
async fn metrics(State(api): State<Api>, _: NoQuery) -> Result<Response, Problem> {
    let recorder = serve::metrics::recorder();
    recorder.run_upkeep();
    let mut text = api.broker.metrics().await?;
    text.push_str(&recorder.render());
    Ok(([(header::CONTENT_TYPE, serve::metrics::CONTENT_TYPE)], text).into_response())
}
