//! Subscriptions that take only what passes their filter.

use std::sync::Arc;

use broker_core::{
    command::{Command, Destination, NewMessage, Publish, SubscriptionPatch},
    filter::{Attributes, Filter},
    reply::{Refusal, Reply},
    settings::{OnFull, QueueSettingsPatch},
};

use crate::bench::{Bench, message, name};

pub(crate) fn of_type(wanted: &str) -> Filter {
    Filter::Exact([(Arc::from("type"), Arc::from(wanted))].into())
}

pub(crate) fn filtered(filter: Option<Filter>) -> SubscriptionPatch {
    SubscriptionPatch { filter: Some(filter), ..Default::default() }
}

pub(crate) fn typed(id: u64, kind: &str) -> NewMessage {
    NewMessage { attributes: Attributes::from_iter([("type", kind)]), ..message(id) }
}

/// A topic `orders` with the queues `all`, and `placed`, which takes what is of the type placed.
fn bench() -> Bench {
    let mut bench = Bench::new();
    bench.put_topic("orders");
    for queue in ["all", "placed"] {
        bench.put_queue(queue, QueueSettingsPatch::default());
    }
    bench.subscribe("orders", "all", OnFull::Reject);
    bench.try_subscribe("orders", "placed", filtered(Some(of_type("placed")))).unwrap();
    bench
}

fn publish(bench: &mut Bench, messages: Vec<NewMessage>) -> Vec<u32> {
    let results = bench.try_publish(Destination::Topic(name("orders")), messages).unwrap();
    results.iter().map(|it| it.queues).collect()
}

#[test]
fn a_subscription_gets_only_what_passes_its_filter() {
    let mut bench = bench();
    let batch = vec![typed(1, "placed"), typed(2, "cancelled"), typed(3, "placed")];
    assert_eq!(publish(&mut bench, batch), [2, 1, 2]);
    assert_eq!((bench.states("all")[0], bench.states("placed")[0]), (3, 2));
    assert_eq!(bench.receive_ids("placed", 9), [1, 3]);
}

#[test]
fn a_filter_holds_over_a_restart_and_until_it_is_changed_or_taken_away() {
    let mut bench = bench();
    bench.restart();
    assert_eq!(publish(&mut bench, vec![typed(1, "cancelled")]), [1]);
    bench.subscribe("orders", "placed", OnFull::Drop);
    assert_eq!(publish(&mut bench, vec![typed(2, "cancelled")]), [1]);
    bench.try_subscribe("orders", "placed", filtered(Some(of_type("cancelled")))).unwrap();
    assert_eq!(publish(&mut bench, vec![typed(3, "cancelled"), typed(4, "placed")]), [2, 1]);
    bench.try_subscribe("orders", "placed", filtered(None)).unwrap();
    bench.restart();
    assert_eq!(publish(&mut bench, vec![typed(5, "placed"), typed(6, "cancelled")]), [2, 2]);
}

#[test]
fn what_a_filter_passes_over_counts_against_no_limit_and_is_no_miss() {
    let mut bench = bench();
    bench.put_queue("placed", QueueSettingsPatch { max_messages: Some(1), ..Default::default() });
    assert_eq!(publish(&mut bench, vec![typed(1, "placed"), typed(2, "cancelled")]), [2, 1]);
    assert_eq!(publish(&mut bench, vec![typed(3, "cancelled")]), [1]);
    let full = bench.try_publish(Destination::Topic(name("orders")), vec![typed(4, "placed")]);
    assert!(matches!(full, Err(Refusal::QueueFull { queue, .. }) if queue == name("placed")));
    bench.subscribe("orders", "placed", OnFull::Drop);
    assert_eq!(publish(&mut bench, vec![typed(5, "cancelled"), typed(6, "placed")]), [1, 1]);
    let subscriptions = bench.core.subscriptions(&name("orders"));
    assert_eq!(subscriptions.iter().map(|it| it.dropped).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn what_no_filter_lets_through_has_no_route() {
    let mut bench = bench();
    let gone = Command::DeleteSubscription { topic: name("orders"), queue: name("all") };
    bench.apply(gone).unwrap();
    let publish = |kind| {
        let destination = Destination::Topic(name("orders"));
        Command::Publish(Publish { destination, messages: vec![typed(1, kind)], require_route: true })
    };
    assert!(matches!(bench.apply(publish("cancelled")), Err(Refusal::NoRoute { index: 0 })));
    assert!(matches!(bench.apply(publish("placed")), Ok(Reply::Published(_))));
    assert_eq!(bench.disk.messages.len(), 1);
}
