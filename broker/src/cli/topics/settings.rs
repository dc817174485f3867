//! The settings of a topic as flags. Ranges are the broker's to check.

use clap::Args;
use serde::Serialize;

use crate::cli::settings::{bytes, duration};

/// The settings to set; those left out keep their values, or take the defaults in a new topic.
#[derive(Args, Debug, Serialize)]
#[command(
    next_help_heading = "Settings (those left out stay as they are, or take their defaults in a new topic)"
)]
pub(super) struct Settings {
    /// How long published messages are kept for replay; 0s keeps none [default: 0s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    #[serde(skip_serializing_if = "Option::is_none")]
    retention: Option<String>,
    /// How many bytes of them are kept; beyond it the oldest go
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    #[serde(skip_serializing_if = "Option::is_none")]
    retention_bytes: Option<String>,
    /// How long ids are remembered; 0s turns deduplication off [default: 5m]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    #[serde(skip_serializing_if = "Option::is_none")]
    deduplication_window: Option<String>,
    /// How many ids are remembered; beyond it the oldest is forgotten early
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    max_deduplication_ids: Option<u64>,
}
