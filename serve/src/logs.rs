//! Logs: one event a line on stderr, as text or JSON; and traces, where a collector is configured.

use clap::ValueEnum;
use tracing_subscriber::{
    EnvFilter, Layer as _,
    filter::{FilterExt as _, LevelFilter, filter_fn},
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
    /// A part of it names neither a level nor a target with one: it would be taken for a target, and the rest
    /// not be logged.
    #[error("LOG: {0:?} is no level; write a level such as info, or targets such as broker=debug,info")]
    NoLevel(String),
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
    let filter = parse_level(level)?.and(filter_fn(is_line));
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

fn parse_level(level: &str) -> Result<EnvFilter, LogsError> {
    let is_level = |part: &str| !part.is_empty() && part.parse::<LevelFilter>().is_ok();
    let is_mistaken = |part: &&str| !part.contains(['=', '[', ']']) && !is_level(part);
    let mut is_within = false;
    let ends_part = |c| {
        is_within = c == '[' || is_within && c != ']';
        c == ',' && !is_within
    };
    match level.split(ends_part).find(is_mistaken) {
        Some(mistaken) => Err(LogsError::NoLevel(mistaken.to_owned())),
        None => Ok(EnvFilter::try_new(level)?),
    }
}

/// Spans are for traces: a line says itself whom it is about.
fn is_line(metadata: &tracing::Metadata<'_>) -> bool {
    metadata.is_event()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_no_level_is_refused_and_filters_are_taken() {
        for level in [
            "info",
            "WARN",
            "off",
            "broker=debug,info",
            "info,broker=trace",
            "[span]=debug,error",
            "a::b=off",
        ] {
            assert!(parse_level(level).is_ok(), "{level}");
        }
        for (level, mistaken) in [("inof", "inof"), ("broker,info", "broker"), ("info,", ""), ("", "")] {
            let error = parse_level(level).unwrap_err();
            assert!(matches!(&error, LogsError::NoLevel(part) if part == mistaken), "{level}: {error}");
        }
        assert!(parse_level("broker=loud").is_err());
    }

    #[test]
    fn what_stands_in_brackets_is_not_taken_for_levels() {
        let told = |level| parse_level(level).map_err(|error| error.to_string());
        let (one, many) = (told("[{a]=info").unwrap_err(), told("[{a,b,c}]=info").unwrap_err());
        assert_eq!(many, one, "the parser of filters has the word");
        assert!(told("[{a}]=info,broker[span{b=1}]=debug,warn").is_ok());
        assert!(told("[{a}]=info,inof").unwrap_err().contains("\"inof\" is no level"));
    }
}
