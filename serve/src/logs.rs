//! Logs: one event a line on stderr, as text or JSON.

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

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
#[error("LOG: {0}; write a level such as info, or targets such as broker=debug,info")]
pub struct InvalidLevel(#[from] tracing_subscriber::filter::ParseError);

/// Sends logs of that level (or filter) to stderr. Only the first call of a process takes effect.
///
/// # Errors
/// [`InvalidLevel`] when `level` is no filter.
pub fn start(level: &str, format: LogFormat) -> Result<(), InvalidLevel> {
    let filter = EnvFilter::try_new(level)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Set already: an embedding program, or a test, has its own.
    let _ = match format {
        LogFormat::Text => builder.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    Ok(())
}
