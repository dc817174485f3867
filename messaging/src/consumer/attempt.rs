//! One attempt: the handler on one event, in its span, panics caught and time taken.

use std::{
    any::Any,
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use futures_util::FutureExt as _;
use tracing::Instrument as _;

use super::{Handler, Settings, held::Task, pace::Attempted};
use crate::{
    event::Event,
    failure::{Failure, shortened},
    trace_context::TraceContext,
};

/// An attempt that has ended.
pub(super) struct Finished {
    pub(super) task: Task,
    pub(super) attempted: Attempted,
    pub(super) outcome: Outcome,
    pub(super) took: Duration,
}

pub(super) enum Outcome {
    Handled,
    Failed(Failure),
    Panicked(String),
}

impl Outcome {
    /// What it is called in metrics.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Handled => "handled",
            Self::Failed(Failure::Transient(_)) => "transient",
            Self::Failed(Failure::Throttled { .. }) => "throttled",
            Self::Failed(Failure::Permanent(_)) => "permanent",
            Self::Panicked(_) => "panic",
        }
    }

    /// Why it failed, if it did.
    pub(super) fn error(&self) -> Option<String> {
        match self {
            Self::Handled => None,
            Self::Failed(failure) => Some(failure.reason()),
            Self::Panicked(reason) => Some(reason.clone()),
        }
    }
}

/// Runs the handler. The event goes in with the trace context of the handler's own span, so that what
/// it causes hangs below that.
pub(super) async fn run(
    handler: &dyn Handler,
    mut task: Task,
    attempted: Attempted,
    system: &'static str,
    settings: &Settings,
) -> Finished {
    let parent: Option<TraceContext> = task.event.traceparent().and_then(|text| text.parse().ok());
    let context = parent.map_or_else(TraceContext::start, TraceContext::child);
    let span = span(&task, parent, context, system, settings);
    task.event = task.event.with_traceparent(context.to_string());
    let started = Instant::now();
    let outcome = handle(handler, &task.event).instrument(span.clone()).await;
    if let Some(error) = outcome.error() {
        span.record("error.type", outcome.name()).record("otel.status_description", error);
    }
    Finished { task, attempted, outcome, took: started.elapsed() }
}

async fn handle(handler: &dyn Handler, event: &Event) -> Outcome {
    // A handler keeps what it must keep in its database, whose transaction a panic undoes.
    match AssertUnwindSafe(async { handler.handle(event).await }).catch_unwind().await {
        Ok(Ok(())) => Outcome::Handled,
        Ok(Err(failure)) => Outcome::Failed(failure),
        Err(payload) => Outcome::Panicked(panic_reason(&*payload)),
    }
}

fn panic_reason(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a text");
    shortened(format!("the handler panicked: {text}"))
}

/// Named and described by OpenTelemetry's semantic conventions for messaging spans. At the level of
/// debugging, so that it costs nothing where nobody looks.
fn span(
    task: &Task,
    parent: Option<TraceContext>,
    context: TraceContext,
    system: &'static str,
    settings: &Settings,
) -> tracing::Span {
    if !context.is_sampled() {
        return tracing::Span::none();
    }
    tracing::debug_span!(
        "process",
        otel.name = %format_args!("process {}", settings.queue),
        otel.kind = "consumer",
        messaging.system = system,
        messaging.operation.name = "process",
        messaging.operation.type = "process",
        messaging.destination.name = settings.queue,
        messaging.consumer.group.name = settings.name,
        messaging.message.id = task.event.id(),
        messaging.message.conversation_id = task.event.correlation_id(),
        cloudevents.event_type = task.event.kind(),
        cloudevents.event_source = task.event.source(),
        partition_key = task.event.partition_key(),
        delivery_count = task.delivery_count,
        trace_id = context.trace_id(),
        span_id = context.span_id(),
        parent_span_id = parent.map(TraceContext::span_id),
        error.type = tracing::field::Empty,
        otel.status_description = tracing::field::Empty,
    )
}
