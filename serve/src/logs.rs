//! Logs: one event a line on stderr, as text or JSON; and traces, where a collector is configured.

use clap::ValueEnum;
use tracing_subscriber::{
    EnvFilter, Layer as _,
    filter::{FilterExt as _, filter_fn},
    fmt,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::traces::Exporter;

/// How a line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogsError {
    /// The level is no filter.
    #[error("LOG: {0}; write a level such as info, or targets such as broker=debug,info")]
    Level(#[from] tracing_subscriber::filter::ParseError),
    /// The `OTEL_…` variables ask for what can't be.
    #[error("OTEL_EXPORTER_OTLP_ENDPOINT: {0}; write the URL of a collector such as http://127.0.0.1:4318")]
    Traces(#[from] opentelemetry_otlp::ExporterBuildError),
}

/// Logs and traces on their way out; dropped, it sends the last spans.
#[derive(Debug)]
#[must_use = "dropped, it ends the traces"]
pub struct Logs(Option<Exporter>);

impl Drop for Logs {
    fn drop(&mut self) {
        if let Some(exporter) = &self.0 {
            exporter.end();
        }
    }
}

/// Sends logs of that level (or filter) to stderr, and the program's spans to the OTLP collector that the
/// environment names, if any. Only the first call of a process takes effect. Call it outside of any async
/// runtime.
///
/// # Errors
/// [`LogsError`] when `level` is no filter, or the environment's settings for traces can't be used.
pub fn start(program: &str, level: &str, format: LogFormat) -> Result<Logs, LogsError> {
    let filter = EnvFilter::try_new(level)?.and(filter_fn(is_line));
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let exporter = Exporter::configured(program)?;
    let traces = exporter.clone().map(|exporter| exporter.with_filter(filter_fn(Exporter::takes)));
    // Set already: an embedding program, or a test, has its own.
    let _ = tracing_subscriber::registry().with(traces).with(lines.with_filter(filter)).try_init();
    Ok(Logs(exporter))
}

/// Spans are for traces: a line says itself whom it is about.
fn is_line(metadata: &tracing::Metadata<'_>) -> bool {
    metadata.is_event()
}
