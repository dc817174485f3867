//! Handing messages out.

use std::{sync::Arc, time::Duration};

use broker_core::{
    command::{Command, NewMessage, Receive, When},
    identity::Sequence,
    reply::{Delivered, Refusal, SettleStatus},
    settings::{OnExpiry, Ordering, QueueSettingsPatch},
};

use crate::bench::{Bench, message, name, receive, seconds};

fn jobs() -> Bench {
    Bench::with_queue(QueueSettingsPatch::default())
}

#[test]
fn messages_come_in_publish_order_each_under_a_receipt_of_its_own() {
    let mut bench = jobs();
    bench.publish_ids("jobs", [1, 2, 3]);
    let deliveries = bench.deliveries(receive("jobs", 2));
    assert_eq!(deliveries.iter().map(|it| bench.id(it)).collect::<Vec<_>>(), [1, 2]);
    assert_ne!(deliveries[0].receipt, deliveries[1].receipt);
    assert_eq!(deliveries[0].receipt.unwrap().lease, deliveries[1].receipt.unwrap().lease);
    assert_eq!((deliveries[0].delivery_count, deliveries[0].first_delivered_at), (1, bench.now));
    assert_eq!(bench.receive_ids("jobs", 10), [3]);
    assert!(bench.receive_ids("jobs", 10).is_empty());
}

#[test]
fn an_empty_receive_changes_nothing() {
    let mut bench = jobs();
    let mut effects = broker_core::change::Effects::default();
    bench.core.apply(Command::Receive(receive("jobs", 1)), bench.now, &mut effects).unwrap();
    assert!(effects.changes.is_empty() && effects.counted.is_empty());
}

/// What stands first in the queue, expired, when no time was spent on that yet.
fn expired_in_the_way(count: u64, settings: QueueSettingsPatch) -> Bench {
    let mut bench = Bench::with_queue(settings);
    for id in 1..=count {
        bench.publish("jobs", NewMessage { expires: Some(When::After(seconds(1))), ..message(id) });
    }
    bench.publish("jobs", message(count + 1));
    bench.now = bench.now.plus(seconds(1));
    bench
}

#[test]
fn what_a_receive_hands_out_is_foreseen_behind_what_has_expired() {
    for ordering in [Ordering::None, Ordering::Fifo] {
        let settings = QueueSettingsPatch { ordering: Some(ordering), ..Default::default() };
        let mut bench = expired_in_the_way(3, settings);
        assert_eq!(bench.foresee(&receive("jobs", 1)), Some(vec![Sequence(4)]), "{ordering:?}");
        assert_eq!(bench.counters("jobs").expired, 3);
        assert_eq!(bench.receive_ids("jobs", 1), [4]);
    }
}

#[test]
fn more_than_may_be_cleared_at_a_time_is_left_to_the_next_time() {
    let mut bench = expired_in_the_way(1001, QueueSettingsPatch::default());
    let all = receive("jobs", 1000);
    assert_eq!(bench.foresee(&all), None);
    assert_eq!(bench.counters("jobs").expired, 1000);
    assert_eq!(bench.foresee(&all), Some(vec![Sequence(1002)]));
}

#[test]
fn the_lease_is_the_queues_unless_the_receive_names_one() {
    let mut bench = jobs();
    bench.publish_ids("jobs", [1, 2]);
    assert_eq!(bench.receive_one("jobs").lease_expires_at, Some(bench.now.plus(seconds(30))));
    let request = Receive { lease: Some(seconds(5)), ..receive("jobs", 1) };
    assert_eq!(bench.deliveries(request)[0].lease_expires_at, Some(bench.now.plus(seconds(5))));
    let too_short = Receive { lease: Some(Duration::from_millis(99)), ..receive("jobs", 1) };
    let refused = bench.apply(Command::Receive(too_short));
    assert!(matches!(refused, Err(Refusal::InvalidSetting { field: "lease", .. })));
}

#[test]
fn an_answer_keeps_to_its_bytes_but_one_message_always_fits() {
    let mut bench = jobs();
    bench.publish_ids("jobs", [1, 2, 3]);
    let within = |max_bytes| Receive { max_bytes, ..receive("jobs", 10) };
    assert_eq!(bench.deliveries(within(29)).len(), 2);
    assert_eq!(bench.deliveries(within(1)).len(), 1);
}

#[test]
fn what_an_answer_has_beside_each_message_counts_too() {
    let mut bench = jobs();
    bench.publish_ids("jobs", [1, 2, 3]);
    let beside = |bytes_beside| Receive { max_bytes: 29, bytes_beside, ..receive("jobs", 10) };
    assert_eq!(bench.deliveries(beside(10)).len(), 1);
    assert_eq!(bench.deliveries(beside(0)).len(), 2);
}

#[test]
fn with_auto_ack_a_message_is_gone_as_it_is_handed_out() {
    let mut bench = jobs();
    bench.publish_ids("jobs", [1]);
    let delivery = &bench.deliveries(Receive { auto_ack: true, ..receive("jobs", 1) })[0];
    assert_eq!((delivery.receipt, delivery.lease_expires_at), (None, None));
    assert_eq!((bench.counters("jobs").acked, bench.counters("jobs").delivered), (1, 1));
    assert!(bench.disk.messages.is_empty() && bench.disk.leases.is_empty());
}

#[test]
fn the_same_receive_id_gives_again_what_is_still_leased_under_it_uncounted() {
    let mut bench = jobs();
    bench.publish_ids("jobs", [1, 2, 3]);
    let request = || Receive { receive_id: Some(Arc::from("lost")), ..receive("jobs", 2) };
    let first = bench.deliveries(request());
    let again: Vec<_> = first.iter().map(|it| Delivered { again: true, ..it.clone() }).collect();
    assert_eq!(bench.deliveries(request()), again);
    bench.ack(first[0].receipt.unwrap());
    assert_eq!(bench.deliveries(request()), again[1..]);
    bench.restart();
    let again = bench.deliveries(request());
    assert_eq!((again.len(), again[0].receipt, again[0].delivery_count), (1, first[1].receipt, 1));
    bench.ack(first[1].receipt.unwrap());
    assert_eq!(bench.deliveries(request()).len(), 1, "with nothing left it is a new receive");
    assert_eq!(bench.counters("jobs").delivered, 3);
}

#[test]
fn a_delayed_message_takes_its_place_when_it_is_due() {
    let mut bench = jobs();
    bench.publish("jobs", NewMessage { available: Some(When::After(seconds(10))), ..message(1) });
    bench.publish("jobs", message(2));
    assert_eq!(bench.states("jobs"), [1, 0, 1, 0]);
    bench.wait(seconds(5));
    bench.publish("jobs", message(3));
    bench.woken.clear();
    bench.wait(seconds(5));
    assert_eq!(bench.woken, [name("jobs")]);
    bench.publish("jobs", message(4));
    assert_eq!(bench.receive_ids("jobs", 10), [2, 3, 1, 4]);
}

#[test]
fn a_message_names_its_own_time_over_the_queues_delay() {
    let delay = QueueSettingsPatch { delay: Some(seconds(20)), ..Default::default() };
    let mut bench = Bench::with_queue(delay);
    bench.publish("jobs", message(1));
    bench.publish("jobs", NewMessage { available: Some(When::At(bench.now)), ..message(2) });
    assert_eq!(bench.receive_ids("jobs", 10), [2]);
    bench.wait(seconds(20));
    assert_eq!(bench.receive_ids("jobs", 10), [1]);
}

#[test]
fn a_ttl_runs_from_when_the_message_can_be_received_and_drops_it() {
    let ttl = QueueSettingsPatch { ttl: Some(Some(seconds(10))), ..Default::default() };
    let mut bench = Bench::with_queue(ttl);
    bench.publish("jobs", NewMessage { available: Some(When::After(seconds(5))), ..message(1) });
    bench.wait(Duration::from_millis(14_999));
    assert_eq!(bench.states("jobs"), [1, 0, 0, 0]);
    bench.wait(Duration::from_millis(1));
    assert_eq!(bench.states("jobs"), [0; 4]);
    assert_eq!(bench.counters("jobs").expired, 1);
}

#[test]
fn of_its_own_ttl_and_the_queues_the_one_that_ends_first_holds() {
    let ttl = QueueSettingsPatch { ttl: Some(Some(seconds(10))), ..Default::default() };
    let mut bench = Bench::with_queue(ttl);
    let until = bench.now.plus(seconds(60));
    for (id, expires) in [(1, When::After(seconds(5))), (2, When::After(seconds(60))), (3, When::At(until))] {
        bench.publish("jobs", NewMessage { expires: Some(expires), ..message(id) });
    }
    bench.wait(seconds(5));
    assert_eq!(bench.states("jobs"), [2, 0, 0, 0]);
    bench.wait(seconds(5));
    assert_eq!(bench.states("jobs"), [0; 4]);
}

#[test]
fn an_expired_message_becomes_a_dead_letter_where_the_queue_is_set_so() {
    let settings = QueueSettingsPatch { on_expiry: Some(OnExpiry::DeadLetter), ..Default::default() };
    let mut bench = Bench::with_queue(settings);
    bench.publish("jobs", NewMessage { expires: Some(When::After(seconds(10))), ..message(1) });
    bench.wait(seconds(10));
    assert_eq!(bench.states("jobs"), [0, 0, 0, 1]);
    assert_eq!((bench.counters("jobs").expired, bench.counters("jobs").dead_lettered), (0, 1));
    assert_eq!(bench.disk.failures.values().next().unwrap()[0].reason.as_deref(), Some("expired"));
}

#[test]
fn a_ttl_never_takes_a_leased_message_but_takes_it_when_it_comes_back() {
    let mut bench = jobs();
    bench.publish("jobs", NewMessage { expires: Some(When::After(seconds(10))), ..message(1) });
    let receipt = bench.receipt("jobs");
    bench.wait(seconds(20));
    assert_eq!(bench.states("jobs"), [0, 1, 0, 0]);
    assert_eq!(bench.nack(receipt, broker_core::command::NackKind::Uncounted, None), SettleStatus::Done);
    assert!(bench.receive_ids("jobs", 1).is_empty(), "even before time passes");
    assert_eq!(bench.counters("jobs").expired, 1);
}
