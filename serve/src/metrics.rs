//! `/metrics`: what the `metrics` facade gathered in this process, as Prometheus text.

use std::{sync::OnceLock, time::Duration};

use axum::{http::header, response::IntoResponse};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{extract::NoQuery, problem::ProblemBody};

/// The upper bounds of histograms of seconds: 100 us to 10 s.
const SECONDS: &[f64] =
    &[0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// How often what was measured is sorted into its buckets.
const UPKEEP: Duration = Duration::from_secs(5);
/// The upper bounds of histograms of counts.
const COUNTS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];

/// The process's one recorder. The first call installs it; a process that embeds several servers
/// shares it, and labels tell them apart.
pub fn recorder() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)
            .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_size".to_owned()), COUNTS))
            .expect("the bounds are not empty");
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        // Another recorder is there already only where the embedding program brought its own.
        let _ = metrics::set_global_recorder(recorder);
        handle
    })
}

/// Sorts what was measured into its buckets every now and then. Without this it is kept one by one until
/// somebody asks for the figures, and nobody may ever do so.
pub(crate) async fn keep_up(stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(UPKEEP)).await.is_some() {
        recorder().run_upkeep();
    }
}

/// The route.
pub fn router<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    recorder();
    OpenApiRouter::new().routes(routes!(scrape))
}

/// The content type of Prometheus text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What this process counted, as Prometheus text.
#[utoipa::path(get, path = "/metrics", tag = "health", responses(
    (status = 200, description = "Prometheus text", body = String, content_type = "text/plain"),
    (status = 422, description = "`invalid-field`", body = ProblemBody, content_type = "application/problem+json"),
))]
async fn scrape(_: NoQuery) -> impl IntoResponse {
    let handle = recorder();
    handle.run_upkeep();
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], handle.render())
}
