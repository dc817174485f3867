//! `broker receive`: messages of a queue under a lease.

use std::io;

use clap::Args;
use owo_colors::OwoColorize as _;
use serde::{Deserialize, Serialize};
use units::Timestamp;

use super::{
    client::Client,
    human::{age, clean},
    message::Message,
    output::{Output, remark},
    settings::{bytes, duration},
    settle,
};

/// Receive messages of a queue under a lease
///
/// Each message has to be settled by its receipt before its lease runs out, with `ack` or `nack`; else it is
/// delivered again. Where there is nothing, the list is empty and the exit code 0.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  broker receive jobs --wait 10s
  broker receive jobs --max 100 --ack
  broker receive jobs --json | jq -r '.deliveries[].receipt' | xargs broker ack jobs")]
pub(super) struct Receive {
    /// Of which queue
    queue: String,
    #[command(flatten)]
    what: What,
    /// Ack them once they are written out
    #[arg(long, conflicts_with = "auto_ack")]
    ack: bool,
}

/// What to receive, as the contract has it.
#[derive(Args, Debug, Serialize)]
struct What {
    /// How many at the most: 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 1)]
    max: u32,
    /// How long to wait for the first one: up to 60s
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    wait: String,
    /// How long the lease lasts: 100ms to 12h [default: the queue's]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    #[serde(skip_serializing_if = "Option::is_none")]
    lease: Option<String>,
    /// How many bytes at the most; one message always fits [default: 16MiB]
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    #[serde(skip_serializing_if = "Option::is_none")]
    max_bytes: Option<String>,
    /// Remove them as they are handed out: at most once, without receipts
    #[arg(long)]
    auto_ack: bool,
    /// Who receives; shown in histories
    #[arg(long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    consumer: Option<String>,
}

/// What was handed out.
#[derive(Deserialize)]
struct Handout {
    deliveries: Vec<Delivery>,
}

#[derive(Deserialize)]
struct Delivery {
    receipt: Option<String>,
    delivery_count: u32,
    lease_expires_at: Option<Timestamp>,
    published_at: Timestamp,
    last_reason: Option<String>,
    message: Message,
}

/// The receipts alone.
#[derive(Deserialize)]
struct Receipts {
    deliveries: Vec<Receipt>,
}

#[derive(Deserialize)]
struct Receipt {
    receipt: String,
}

impl Receive {
    pub(super) async fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let Self { queue, what, ack } = self;
        let body = client.post(client.url(&["queues", &queue, "receive"]), &what).await?;
        out.answer(client, &body, |out, Handout { deliveries }| {
            if deliveries.is_empty() {
                remark("there is nothing to receive");
            }
            deliveries.iter().try_for_each(|delivery| show(out, delivery))
        })?;
        // What was not written out has not been received by anybody.
        out.flush()?;
        if ack {
            let Receipts { deliveries } = client.read(&body)?;
            let receipts: Vec<String> = deliveries.into_iter().map(|delivery| delivery.receipt).collect();
            settle::ack_quietly(client, &queue, receipts).await?;
        }
        Ok(())
    }
}

fn show(out: &mut Output, delivery: &Delivery) -> io::Result<()> {
    let Delivery { receipt, delivery_count, lease_expires_at, published_at, last_reason, message } = delivery;
    out.line(message.head())?;
    let published = format!("  published {} ago, delivery {delivery_count}", age(*published_at));
    out.line(published.dimmed())?;
    if let (Some(receipt), Some(until)) = (receipt, lease_expires_at) {
        out.line(format_args!("  {} {} until {until}", "receipt".dimmed(), clean(receipt)))?;
    }
    if let Some(reason) = last_reason {
        out.line(format_args!("  {} {}", "failed before:".yellow(), clean(reason).replace('\n', " ")))?;
    }
    message.write_data(out)
}
