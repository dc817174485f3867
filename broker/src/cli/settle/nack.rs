//! `broker nack`.

use clap::Args;
use serde::Serialize;

use super::Which;
use crate::cli::{client::Client, output::Output, settings::duration};

/// End deliveries as failed, or hand them back
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  broker nack jobs 7-1043-88 --reason 'no answer' --delay 1m
  broker nack jobs 7-1043-88 --dead-letter --reason 'no such customer'
  broker nack jobs 7-1043-88 --no-count")]
pub(in crate::cli) struct Nack {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    how: How,
}

#[derive(Args, Debug, Serialize)]
struct How {
    /// How long until they are ready again [default: by the queue's backoff]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    #[serde(skip_serializing_if = "Option::is_none")]
    delay: Option<String>,
    /// Why; kept in the history
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// They fail for good: dead letters at once
    #[arg(long, conflicts_with = "no_count")]
    dead_letter: bool,
    /// Hand them back in their places, the delivery not counted
    #[arg(long)]
    #[serde(rename = "count", serialize_with = "negated")]
    no_count: bool,
}

fn negated<S: serde::Serializer>(no_count: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bool(!no_count)
}

impl Nack {
    pub(in crate::cli) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        self.which.settle("nack", self.how, client, out).await
    }
}
