//! Traces: the spans that bear W3C ids go to an OpenTelemetry collector, where one is configured. Which
//! spans there are, and how their ids travel, is told by who makes them.

use std::{
    borrow::Cow,
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use opentelemetry::{
    InstrumentationScope, KeyValue, SpanId, TraceFlags, TraceId, Value,
    trace::{SpanContext, SpanKind, Status, TraceState},
};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchSpanProcessor, SpanData, SpanEvents, SpanLinks, SpanProcessor},
};
use tracing::{
    Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

/// The variables that say where the collector is (OpenTelemetry specification, "OTLP Exporter
/// Configuration"); without one nothing is exported.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
/// How long the last spans may take to be sent at the end.
const LAST_SPANS: Duration = Duration::from_secs(5);

/// Sends finished spans, in batches, from a thread of its own; clones send together.
#[derive(Clone, Debug)]
pub(crate) struct Exporter(Arc<BatchSpanProcessor>);

impl Exporter {
    /// The exporter that the environment asks for: OTLP over HTTP, in protobuf.
    pub(crate) fn configured(program: &str) -> Result<Option<Self>, ExporterBuildError> {
        if !ENDPOINTS.iter().any(|name| std::env::var_os(name).is_some_and(|url| !url.is_empty())) {
            return Ok(None);
        }
        let mut processor = BatchSpanProcessor::builder(SpanExporter::builder().with_http().build()?).build();
        let resource = Resource::builder();
        let resource = match std::env::var_os("OTEL_SERVICE_NAME") {
            Some(_) => resource,
            None => resource.with_service_name(program.to_owned()),
        };
        processor.set_resource(&resource.build());
        Ok(Some(Self(Arc::new(processor))))
    }

    /// Whether a span is one to export.
    pub(crate) fn takes(metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.fields().field("trace_id").is_some()
    }

    /// Sends what is left.
    pub(crate) fn end(&self) {
        // A collector that is away costs its own spans only.
        let _ = self.0.shutdown_with_timeout(LAST_SPANS);
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Exporter {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut open = OpenSpan::new(attributes.metadata().name());
        attributes.record(&mut open);
        span.extensions_mut().insert(open);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(open) = span.extensions_mut().get_mut::<OpenSpan>() {
            values.record(open);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let open = context.span(&id).and_then(|span| span.extensions_mut().remove::<OpenSpan>());
        if let Some(open) = open {
            self.0.on_end(open.close());
        }
    }
}

/// A span as it is told field by field. Fields of these names say what it is, all others are attributes:
/// `otel.name`, `otel.kind`, `otel.status_description`, `trace_id`, `span_id`, `parent_span_id`.
struct OpenSpan {
    name: Cow<'static, str>,
    kind: SpanKind,
    status: Status,
    trace_id: TraceId,
    span_id: SpanId,
    parent_span_id: SpanId,
    start_time: SystemTime,
    attributes: Vec<KeyValue>,
}

impl OpenSpan {
    fn new(name: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            kind: SpanKind::Internal,
            status: Status::Unset,
            trace_id: TraceId::INVALID,
            span_id: SpanId::INVALID,
            parent_span_id: SpanId::INVALID,
            start_time: SystemTime::now(),
            attributes: Vec::new(),
        }
    }

    fn text(&mut self, field: &Field, text: &str) {
        match field.name() {
            "otel.name" => self.name = Cow::Owned(text.to_owned()),
            "otel.kind" => {
                self.kind = match text {
                    "server" => SpanKind::Server,
                    "client" => SpanKind::Client,
                    "producer" => SpanKind::Producer,
                    "consumer" => SpanKind::Consumer,
                    _ => SpanKind::Internal,
                }
            }
            "otel.status_description" => self.status = Status::error(text.to_owned()),
            "trace_id" => self.trace_id = TraceId::from_hex(text).unwrap_or(TraceId::INVALID),
            "span_id" => self.span_id = SpanId::from_hex(text).unwrap_or(SpanId::INVALID),
            "parent_span_id" => self.parent_span_id = SpanId::from_hex(text).unwrap_or(SpanId::INVALID),
            _ => self.attribute(field, text.to_owned()),
        }
    }

    fn attribute(&mut self, field: &Field, value: impl Into<Value>) {
        self.attributes.push(KeyValue::new(field.name(), value));
    }

    fn close(self) -> SpanData {
        let context =
            SpanContext::new(self.trace_id, self.span_id, TraceFlags::SAMPLED, false, TraceState::default());
        SpanData {
            span_context: context,
            parent_span_id: self.parent_span_id,
            parent_span_is_remote: self.parent_span_id != SpanId::INVALID,
            span_kind: self.kind,
            name: self.name,
            start_time: self.start_time,
            end_time: SystemTime::now(),
            attributes: self.attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: self.status,
            instrumentation_scope: InstrumentationScope::default(),
        }
    }
}

impl Visit for OpenSpan {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, &format!("{value:?}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.attribute(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.attribute(field, i64::try_from(value).unwrap_or(i64::MAX));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.attribute(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.attribute(field, value);
    }
}
