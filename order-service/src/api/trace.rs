//! The trace of a request: the span in which it is served, continuing the caller's trace or starting one.

use axum::http::{HeaderMap, StatusCode};
use messaging::trace_context::TraceContext;
use serve::problem::Problem;
use tracing::{Instrument as _, Span, field::Empty};

/// Serves a request in a span of its own, whose context the work hands on to the events it causes.
/// `success` is the status that a good answer has.
pub(super) async fn traced<T>(
    headers: &HeaderMap,
    method: &'static str,
    route: &'static str,
    success: StatusCode,
    work: impl AsyncFnOnce(TraceContext) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let parent = caller(headers);
    let context = parent.map_or_else(TraceContext::start, TraceContext::child);
    let span = span(parent, context, method, route);
    let served = work(context).instrument(span.clone()).await;
    let status = served.as_ref().map_or_else(Problem::status, |_| success);
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("error.type", status.as_str()).record("otel.status_description", status.as_str());
    }
    served
}

/// The trace that the caller says the request is part of.
fn caller(headers: &HeaderMap) -> Option<TraceContext> {
    headers.get("traceparent")?.to_str().ok()?.parse().ok()
}

/// Named and described by OpenTelemetry's semantic conventions for HTTP servers.
fn span(
    parent: Option<TraceContext>,
    context: TraceContext,
    method: &'static str,
    route: &'static str,
) -> Span {
    if !context.is_sampled() {
        return Span::none();
    }
    tracing::debug_span!(
        "request",
        otel.name = %format_args!("{method} {route}"),
        otel.kind = "server",
        http.request.method = method,
        http.route = route,
        url.scheme = "http",
        http.response.status_code = Empty,
        error.type = Empty,
        otel.status_description = Empty,
        trace_id = context.trace_id(),
        span_id = context.span_id(),
        parent_span_id = parent.map(TraceContext::span_id),
    )
}
