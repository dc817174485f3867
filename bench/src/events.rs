//! The events that are published, and what is read of the deliveries.

use std::time::Duration;

use serde::Deserialize;

/// The type of a body with one event.
pub(crate) const ONE: &str = "application/cloudevents+json";
/// The type of a body with many.
pub(crate) const BATCH: &str = "application/cloudevents-batch+json";

/// Events with those numbers, as the body of one publish: an event for one, a batch for more. Each says
/// when it was sent, in microseconds since the scene began.
pub(crate) fn body(numbers: std::ops::Range<u64>, scene: &str, size: usize, sent: Duration) -> String {
    let single = numbers.end - numbers.start == 1;
    let sent = sent.as_micros();
    let events = numbers.map(|number| {
        format!(
            r#"{{"specversion":"1.0","id":"{scene}-{number}","source":"/bench","type":"measured","datacontenttype":"application/json","data":{{"sent":{sent},"filler":"{:x<size$}"}}}}"#,
            ""
        )
    });
    let events: Vec<_> = events.collect();
    if single { events.concat() } else { format!("[{}]", events.join(",")) }
}

/// The answer of a receive.
#[derive(Deserialize)]
pub(crate) struct Received<'a> {
    #[serde(borrow)]
    pub(crate) deliveries: Vec<Delivery<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct Delivery<'a> {
    pub(crate) receipt: &'a str,
    pub(crate) message: Message,
}

#[derive(Deserialize)]
pub(crate) struct Message {
    pub(crate) data: Data,
}

#[derive(Deserialize)]
pub(crate) struct Data {
    /// Microseconds since the scene began.
    pub(crate) sent: u64,
}

/// The body of an ack.
pub(crate) fn ack(deliveries: &[Delivery<'_>]) -> String {
    let receipts: Vec<_> = deliveries.iter().map(|delivery| format!("\"{}\"", delivery.receipt)).collect();
    format!(r#"{{"receipts":[{}]}}"#, receipts.join(","))
}
