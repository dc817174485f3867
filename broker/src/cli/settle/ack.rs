//! `broker ack`.

use clap::Args;
use serde_json::json;

use super::{Results, Which};
use crate::cli::{client::Client, failure::Failure, output::Output};

/// Settle deliveries as done
///
/// Exit code 1 where a lease was lost; a message that is gone already is no failure.
#[derive(Args, Debug)]
pub(in crate::cli) struct Ack {
    #[command(flatten)]
    which: Which,
}

impl Ack {
    pub(in crate::cli) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        self.which.settle("ack", json!({}), client, out).await
    }
}

/// Acks what was received and written out, and says only what went wrong.
pub(in crate::cli) async fn ack_quietly(
    client: &Client,
    queue: &str,
    receipts: Vec<String>,
) -> Result<(), Failure> {
    if receipts.is_empty() {
        return Ok(());
    }
    let body = client.post(client.url(&["queues", queue, "ack"]), &json!({"receipts": receipts})).await?;
    client.read::<Results>(&body)?.none_lost()
}
