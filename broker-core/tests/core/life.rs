//! The drawing of a message's states in the crate's documentation, walked arrow by arrow.

use std::collections::BTreeSet;

use broker_core::{
    choice::Chosen,
    command::{Command, DeadLetters, Destination, NackKind, NewMessage, Receive, Span, When},
    settings::{OnExpiry, OnFull, Overflow, QueueSettingsPatch, TopicSettingsPatch},
};

use crate::bench::{Bench, message, name, receive, seconds, selector};

/// A way to bring a message there, and from there a step on.
struct Walk {
    from: &'static str,
    step: &'static str,
    to: &'static str,
    walk: fn(&mut Bench),
}

const WALKS: &[Walk] = &[
    Walk { from: "new", step: "publish", to: "ready", walk: |b| ready(b) },
    Walk { from: "new", step: "publish with a delay", to: "delayed", walk: |b| delayed(b) },
    Walk { from: "new", step: "publish, subscriber full", to: "dead", walk: arrive_dead },
    Walk { from: "delayed", step: "due", to: "ready", walk: |b| after(b, delayed, |b| b.wait(seconds(60))) },
    Walk {
        from: "ready",
        step: "receive",
        to: "leased",
        walk: |b| after(b, ready, |b| _ = b.receipt("jobs")),
    },
    Walk { from: "ready", step: "receive with auto-ack", to: "gone", walk: |b| after(b, ready, auto_ack) },
    Walk { from: "leased", step: "ack", to: "gone", walk: |b| leased(b, |b, r| _ = b.ack(r)) },
    Walk { from: "leased", step: "nack", to: "delayed", walk: |b| leased(b, |b, r| _ = b.fail(r)) },
    Walk { from: "leased", step: "nack uncounted", to: "ready", walk: |b| leased(b, hand_back) },
    Walk {
        from: "leased",
        step: "lease expired",
        to: "ready",
        walk: |b| leased(b, |b, _| b.wait(seconds(30))),
    },
    Walk { from: "leased", step: "last failure", to: "dead", walk: fail_for_good },
    Walk { from: "leased", step: "nack, dead_letter", to: "dead", walk: dead },
    Walk { from: "ready", step: "expiry", to: "gone", walk: |b| expire(b, OnExpiry::Drop) },
    Walk { from: "ready", step: "expiry, on_expiry", to: "dead", walk: |b| expire(b, OnExpiry::DeadLetter) },
    Walk { from: "ready", step: "overflow", to: "gone", walk: |b| overflow(b, Overflow::DropOldest) },
    Walk {
        from: "ready",
        step: "overflow, oldest",
        to: "dead",
        walk: |b| overflow(b, Overflow::DeadLetterOldest),
    },
    Walk { from: "ready", step: "damaged", to: "dead", walk: |b| after(b, ready, damaged) },
    Walk { from: "leased", step: "damaged", to: "dead", walk: |b| leased(b, |b, _| damaged(b)) },
    Walk { from: "ready", step: "purge", to: "gone", walk: |b| after(b, ready, purge) },
    Walk { from: "delayed", step: "purge", to: "gone", walk: |b| after(b, delayed, purge) },
    Walk { from: "delayed", step: "remove", to: "gone", walk: |b| after(b, delayed, remove) },
    Walk { from: "dead", step: "redrive", to: "ready", walk: redrive },
    Walk { from: "gone", step: "replay", to: "ready", walk: replay },
    Walk { from: "dead", step: "discard", to: "gone", walk: discard },
    Walk {
        from: "dead",
        step: "retention",
        to: "gone",
        walk: |b| after(b, dead, |b| b.wait(seconds(14 * 86_400))),
    },
];

fn after(bench: &mut Bench, first: fn(&mut Bench), then: fn(&mut Bench)) {
    first(bench);
    then(bench);
}

fn ready(bench: &mut Bench) {
    bench.publish("jobs", message(1));
}

fn delayed(bench: &mut Bench) {
    bench.publish("jobs", NewMessage { available: Some(When::After(seconds(60))), ..message(1) });
}

fn leased(bench: &mut Bench, then: fn(&mut Bench, broker_core::identity::Receipt)) {
    ready(bench);
    let receipt = bench.receipt("jobs");
    then(bench, receipt);
}

fn dead(bench: &mut Bench) {
    leased(bench, |bench, receipt| _ = bench.kill(receipt));
}

fn auto_ack(bench: &mut Bench) {
    bench.deliveries(Receive { auto_ack: true, ..receive("jobs", 1) });
}

fn hand_back(bench: &mut Bench, receipt: broker_core::identity::Receipt) {
    bench.nack(receipt, NackKind::Uncounted, None);
}

fn fail_for_good(bench: &mut Bench) {
    bench.put_queue("jobs", QueueSettingsPatch { max_deliveries: Some(1), ..Default::default() });
    leased(bench, |bench, receipt| _ = bench.fail(receipt));
}

fn expire(bench: &mut Bench, on_expiry: OnExpiry) {
    let ttl = Some(Some(seconds(1)));
    bench.put_queue("jobs", QueueSettingsPatch { ttl, on_expiry: Some(on_expiry), ..Default::default() });
    ready(bench);
    bench.wait(seconds(1));
}

/// Message 1 gives way to message 2, which is removed again so that only 1 is left to look at.
fn overflow(bench: &mut Bench, overflow: Overflow) {
    let settings =
        QueueSettingsPatch { max_messages: Some(1), overflow: Some(overflow), ..Default::default() };
    bench.put_queue("jobs", settings);
    ready(bench);
    bench.publish("jobs", message(2));
    purge(bench);
}

/// The subscriber is filled by message 2, which is removed again.
fn arrive_dead(bench: &mut Bench) {
    bench.put_queue("jobs", QueueSettingsPatch { max_messages: Some(1), ..Default::default() });
    bench.put_topic("orders");
    bench.subscribe("orders", "jobs", OnFull::DeadLetter);
    bench.publish("jobs", message(2));
    bench.try_publish(Destination::Topic(name("orders")), vec![message(1)]).unwrap();
    purge(bench);
}

fn damaged(bench: &mut Bench) {
    assert_eq!(bench.kill_damaged("jobs", &[1]), 1);
}

fn purge(bench: &mut Bench) {
    bench.apply(Command::PurgeQueue { name: name("jobs") }).unwrap();
}

fn remove(bench: &mut Bench) {
    bench.apply(Command::RemoveMessage { queue: name("jobs"), message: selector(1) }).unwrap();
}

fn redrive(bench: &mut Bench) {
    dead(bench);
    bench.redrive("jobs", DeadLetters::All, None);
}

/// The topic keeps message 1 after the queue is done with it.
fn replay(bench: &mut Bench) {
    let retention = Some(seconds(60));
    bench.set_topic("orders", TopicSettingsPatch { retention, ..Default::default() });
    bench.subscribe("orders", "jobs", OnFull::Reject);
    bench.try_publish(Destination::Topic(name("orders")), vec![message(1)]).unwrap();
    purge(bench);
    let (topic, queue) = (name("orders"), name("jobs"));
    let replay = Command::Replay { topic, queue, span: Span::default(), chosen: Chosen::All };
    bench.apply(replay).unwrap();
}

fn discard(bench: &mut Bench) {
    dead(bench);
    bench.apply(Command::DiscardDeadLetters { queue: name("jobs"), which: DeadLetters::All }).unwrap();
}

fn state(bench: &Bench) -> &'static str {
    match bench.states("jobs") {
        [1, 0, 0, 0] => "ready",
        [0, 1, 0, 0] => "leased",
        [0, 0, 1, 0] => "delayed",
        [0, 0, 0, 1] => "dead",
        [0, 0, 0, 0] => "gone",
        other => panic!("more than one message: {other:?}"),
    }
}

#[test]
fn every_arrow_leads_where_it_is_drawn_and_does_so_over_a_restart() {
    for Walk { from, step, to, walk } in WALKS {
        let mut bench = Bench::with_queue(QueueSettingsPatch::default());
        walk(&mut bench);
        assert_eq!(state(&bench), *to, "{from} --{step}-->");
        bench.restart();
        assert_eq!(state(&bench), *to, "{from} --{step}--> after a restart");
    }
}

#[test]
fn the_drawing_has_the_arrows_that_are_walked_and_no_others() {
    let source = include_str!("../../src/lib.rs");
    let arrows = source.lines().filter_map(|line| line.strip_prefix("//!     ")?.split_once(": "));
    let drawn: BTreeSet<String> = arrows.map(|(arrow, step)| format!("{arrow}: {step}")).collect();
    let walked = WALKS.iter().map(|it| format!("{} --> {}: {}", it.from, it.to, it.step)).collect();
    assert_eq!(drawn, walked);
}
