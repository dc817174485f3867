//! Receives: what is asked, and what the answer holds. The messages stay slices of the answer.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use units::{Timestamp, format_duration};

use super::client::{self, Client};
use crate::{
    event::Event,
    transport::{Delivery, Lease, Mode, Receipt, Receive, TransportError},
};

#[derive(Serialize)]
struct Question<'a> {
    max: usize,
    wait: String,
    consumer: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    lease: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receive_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auto_ack: Option<bool>,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    deliveries: Vec<Delivered<'a>>,
}

#[derive(Deserialize)]
struct Delivered<'a> {
    receipt: Option<String>,
    lease_expires_at: Option<Timestamp>,
    #[serde(default = "first")]
    delivery_count: u32,
    #[serde(borrow)]
    message: &'a RawValue,
}

const fn first() -> u32 {
    1
}

pub(super) async fn some(
    client: &Client,
    queue: &str,
    receive: &Receive,
) -> Result<Vec<Delivery>, TransportError> {
    let (lease, receive_id, auto_ack) = match &receive.mode {
        Mode::Leased { lease, receive_id } => {
            (Some(format_duration(*lease)), Some(receive_id.as_str()), None)
        }
        Mode::AtMostOnce => (None, None, Some(true)),
    };
    let question = Question {
        max: receive.max,
        wait: format_duration(receive.wait),
        consumer: &receive.consumer,
        lease,
        receive_id,
        auto_ack,
    };
    let bytes = client.post(&["queues", queue, "receive"], &question, receive.wait).await?;
    let answer: Answer<'_> = client::read(&bytes)?;
    Ok(answer.deliveries.into_iter().map(|delivered| delivery(&bytes, delivered)).collect())
}

fn delivery(answer: &Bytes, delivered: Delivered<'_>) -> Delivery {
    let lease = delivered.receipt.map(|receipt| Lease {
        receipt: Receipt::new(&receipt),
        expires_at: delivered.lease_expires_at.unwrap_or_default(),
    });
    let event = Event::from_json(answer.slice_ref(delivered.message.get().as_bytes()));
    Delivery { event, lease, delivery_count: delivered.delivery_count }
}
