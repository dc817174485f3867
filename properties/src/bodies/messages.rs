//! Receiving, settling, redriving and replaying: the commands are those that the bodies ask for, and a queue
//! with messages carries them out.

use std::time::Duration;

use broker::api::{
    bodies::{AckBody, ExtendBody, NackBody, PurgeBody, ReceiveBody, RedriveBody, ReplayBody},
    receipt,
};
use broker_core::{
    command::{Command, Nack},
    identity::Receipt,
    reply::{Refusal, Reply},
};
use serde_json::Value;
use units::{Timestamp, parse_duration};

use super::{json, read};
use crate::bench::{Bench, name};

pub(super) fn receive(body: &[u8]) {
    let Some((receive, wait)) = read(body, &[], |body: ReceiveBody| body.command(name("q"))) else { return };
    let given = json(body);
    assert!((1..=1000).contains(&receive.max) && receive.max_bytes >= 1, "{receive:?}");
    assert_eq!(given["max"].as_f64().unwrap_or(1.0), receive.max as f64, "{given}");
    assert_eq!(duration(&given["wait"]).unwrap_or_default(), wait, "{given}");
    assert_eq!(duration(&given["lease"]), receive.lease, "{given}");
    assert!(wait <= Duration::from_secs(60), "{given}");
    assert_eq!(given["consumer"].as_str(), receive.consumer.as_deref());
    assert_eq!(given["receive_id"].as_str(), receive.receive_id.as_deref());
    let (max, auto_ack) = (receive.max, receive.auto_ack);
    let mut bench = Bench::with_messages();
    match bench.apply(Command::Receive(receive)) {
        Ok(Reply::Delivered(deliveries)) => {
            assert!((1..=max).contains(&deliveries.len()), "{given}");
            assert!(deliveries.iter().all(|delivery| delivery.receipt.is_none() == auto_ack), "{given}");
        }
        other => panic!("{other:?}: {given}"),
    }
}

pub(super) fn ack(body: &[u8]) {
    let Some(command) = read(body, &["receipts"], |body: AckBody| body.command(name("q"))) else { return };
    let Command::Ack { receipts, .. } = &command else { panic!("{command:?}") };
    as_given(&json(body), receipts);
    carried_out(command);
}

pub(super) fn nack(body: &[u8]) {
    let Some(command) = read(body, &["receipts"], |body: NackBody| body.command(name("q"))) else { return };
    let Command::Nack(Nack { receipts, delay, reason, .. }) = &command else { panic!("{command:?}") };
    let given = json(body);
    as_given(&given, receipts);
    assert_eq!(duration(&given["delay"]), *delay, "{given}");
    let reason = reason.as_deref();
    assert!(reason.is_none_or(|reason| reason.len() <= 4096), "{given}");
    assert_eq!(given["reason"].as_str().is_some(), reason.is_some(), "{given}");
    assert!(given["reason"].as_str().unwrap_or_default().starts_with(reason.unwrap_or_default()), "{given}");
    carried_out(command);
}

pub(super) fn extend(body: &[u8]) {
    let ask = |body: ExtendBody| body.command(name("q"));
    let Some(command) = read(body, &["receipts", "lease"], ask) else { return };
    let Command::Extend { receipts, lease, .. } = &command else { panic!("{command:?}") };
    as_given(&json(body), receipts);
    assert_eq!(duration(&json(body)["lease"]), Some(*lease));
    carried_out(command);
}

pub(super) fn redrive(body: &[u8]) {
    read(body, &[], Ok::<RedriveBody, _>);
}

pub(super) fn purge(body: &[u8]) {
    read(body, &[], Ok::<PurgeBody, _>);
}

pub(super) fn replay(body: &[u8]) {
    let Some(span) = read(body, &["from"], |body: ReplayBody| Ok(body.span())) else { return };
    let given = json(body);
    let time = |value: &Value| value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    assert_eq!((time(&given["from"]), time(&given["to"])), (span.from, span.to), "{given}");
}

fn duration(value: &Value) -> Option<Duration> {
    value.as_str().map(|text| parse_duration(text).expect("it was read before"))
}

fn as_given(body: &Value, receipts: &[Receipt]) {
    let given = body["receipts"].as_array().expect("it was read as an array");
    assert_eq!(given.len(), receipts.len());
    assert!((1..=1000).contains(&receipts.len()), "{body}");
    for (text, receipt) in given.iter().zip(receipts) {
        let mut written = Vec::new();
        receipt::write(&mut written, *receipt);
        assert_eq!(text.as_str().map(str::as_bytes), Some(&written[..]));
    }
}

/// The results are those of the receipts, in their order; else one of them is another queue's.
fn carried_out(command: Command) {
    let mut bench = Bench::with_messages();
    let lease = Command::Receive(bench.receive());
    bench.apply(lease).expect("there are messages");
    match bench.apply(command) {
        Ok(Reply::Settled(results)) => assert!(!results.is_empty()),
        Err(Refusal::ForeignReceipt { .. }) => {}
        other => panic!("{other:?}"),
    }
}
