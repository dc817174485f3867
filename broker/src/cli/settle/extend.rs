//! `broker extend`.

use clap::Args;
use serde_json::json;

use super::Which;
use crate::cli::{client::Client, output::Output, settings::duration};

/// Let leases run on
#[derive(Args, Debug)]
pub(in crate::cli) struct Extend {
    #[command(flatten)]
    which: Which,
    /// How long from now: 100ms to 12h
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    lease: String,
}

impl Extend {
    pub(in crate::cli) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        self.which.settle("extend", json!({"lease": self.lease}), client, out).await
    }
}
