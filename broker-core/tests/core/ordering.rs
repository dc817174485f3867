//! What order a queue keeps, under failure too.

use broker_core::{
    command::{Command, DeadLetters, NackKind, NewMessage, Receive, When},
    settings::{BackoffPatch, Ordering, QueueSettingsPatch},
};

use crate::bench::{Bench, keyed, message, name, receive, seconds, selector};

fn ordered(ordering: Ordering) -> Bench {
    let backoff = BackoffPatch { jitter: Some(0.0), ..Default::default() };
    Bench::with_queue(QueueSettingsPatch { ordering: Some(ordering), backoff, ..Default::default() })
}

fn by_key(messages: &[(u64, &str)]) -> Bench {
    let mut bench = ordered(Ordering::Key);
    for (id, key) in messages {
        bench.publish("jobs", keyed(*id, key));
    }
    bench
}

#[test]
fn one_message_of_a_key_is_in_flight_at_a_time_and_other_keys_go_on() {
    let mut bench = by_key(&[(1, "a"), (2, "a"), (3, "b"), (4, "a")]);
    assert_eq!(bench.receive_ids("jobs", 10), [1, 3]);
    assert!(bench.receive_ids("jobs", 10).is_empty());
    assert_eq!(bench.states("jobs"), [2, 2, 0, 0]);
}

#[test]
fn an_ack_frees_the_key_for_the_next_and_wakes_who_waits() {
    let mut bench = by_key(&[(1, "a"), (2, "a")]);
    let receipt = bench.receipt("jobs");
    bench.woken.clear();
    bench.ack(receipt);
    assert_eq!(bench.woken, [name("jobs")]);
    assert_eq!(bench.receive_ids("jobs", 10), [2]);
}

#[test]
fn a_message_that_backs_off_holds_its_key() {
    let mut bench = by_key(&[(1, "a"), (2, "a"), (3, "b")]);
    let receipt = bench.receipt("jobs");
    bench.fail(receipt);
    assert_eq!(bench.receive_ids("jobs", 10), [3]);
    bench.wait(seconds(1));
    assert_eq!(bench.receive_ids("jobs", 10), [1]);
}

#[test]
fn a_lease_that_runs_out_gives_the_same_message_first() {
    let mut bench = by_key(&[(1, "a"), (2, "a")]);
    bench.receipt("jobs");
    bench.wait(seconds(30));
    assert_eq!(bench.receive_ids("jobs", 10), [1]);
}

#[test]
fn a_dead_letter_an_expiry_and_a_removal_free_the_key() {
    let mut bench = by_key(&[(1, "a"), (2, "a"), (3, "a"), (4, "a")]);
    let receipt = bench.receipt("jobs");
    bench.kill(receipt);
    let receipt = bench.receipt("jobs");
    bench.nack(receipt, NackKind::Failed, Some(seconds(60)));
    let remove = Command::RemoveMessage { queue: name("jobs"), message: selector(2) };
    bench.apply(remove).unwrap();
    assert_eq!(bench.receive_ids("jobs", 10), [3]);
    let mut bench = ordered(Ordering::Key);
    bench.publish("jobs", NewMessage { expires: Some(When::After(seconds(5))), ..keyed(1, "a") });
    bench.publish("jobs", keyed(2, "a"));
    let receipt = bench.receipt("jobs");
    bench.nack(receipt, NackKind::Failed, Some(seconds(60)));
    bench.wait(seconds(5));
    assert_eq!(bench.receive_ids("jobs", 10), [2]);
}

#[test]
fn messages_without_a_key_are_not_ordered() {
    let mut bench = ordered(Ordering::Key);
    bench.publish_ids("jobs", [1, 2, 3]);
    assert_eq!(bench.receive_ids("jobs", 10), [1, 2, 3]);
}

#[test]
fn a_delayed_publish_takes_its_place_in_its_key_when_it_is_due() {
    let mut bench = ordered(Ordering::Key);
    bench.publish("jobs", NewMessage { available: Some(When::After(seconds(10))), ..keyed(1, "a") });
    bench.publish("jobs", keyed(2, "a"));
    bench.publish("jobs", keyed(3, "a"));
    let second = bench.receipt("jobs");
    bench.wait(seconds(10));
    bench.publish("jobs", keyed(4, "a"));
    bench.ack(second);
    for expected in [3, 1, 4] {
        let delivery = bench.receive_one("jobs");
        assert_eq!(bench.id(&delivery), expected);
        bench.ack(delivery.receipt.unwrap());
    }
}

#[test]
fn a_redriven_message_goes_before_one_that_backs_off_and_never_revokes_a_lease() {
    let mut bench = by_key(&[(1, "a"), (2, "a")]);
    let first = bench.receipt("jobs");
    bench.kill(first);
    let second = bench.receipt("jobs");
    bench.redrive("jobs", DeadLetters::All, None);
    assert!(bench.receive_ids("jobs", 10).is_empty(), "the lease of the second holds the key");
    bench.nack(second, NackKind::Failed, Some(seconds(60)));
    assert_eq!(bench.receive_ids("jobs", 10), [1]);
}

#[test]
fn a_redriven_message_goes_before_a_younger_one_that_is_ready() {
    let mut bench = by_key(&[(1, "a"), (2, "a"), (3, "a")]);
    let first = bench.receipt("jobs");
    bench.kill(first);
    bench.redrive("jobs", DeadLetters::All, None);
    for expected in [1, 2, 3] {
        let delivery = bench.receive_one("jobs");
        assert_eq!(bench.id(&delivery), expected);
        bench.ack(delivery.receipt.unwrap());
    }
}

#[test]
fn with_auto_ack_too_a_receive_gives_one_message_a_key() {
    let mut bench = by_key(&[(1, "a"), (2, "a"), (3, "b")]);
    let request = || Receive { auto_ack: true, ..receive("jobs", 10) };
    assert_eq!(bench.deliveries(request()).len(), 2);
    assert_eq!(bench.deliveries(request()).len(), 1);
}

#[test]
fn a_fifo_queue_gives_one_message_at_a_time_whatever_its_key() {
    let mut bench = ordered(Ordering::Fifo);
    bench.publish("jobs", keyed(1, "a"));
    bench.publish("jobs", keyed(2, "b"));
    bench.publish("jobs", message(3));
    for expected in [1, 2, 3] {
        let deliveries = bench.deliveries(receive("jobs", 10));
        assert_eq!((deliveries.len(), bench.id(&deliveries[0])), (1, expected));
        assert!(bench.receive_ids("jobs", 10).is_empty());
        bench.ack(deliveries[0].receipt.unwrap());
    }
}

#[test]
fn without_an_order_a_message_that_backs_off_holds_nothing_back() {
    let mut bench = ordered(Ordering::None);
    bench.publish("jobs", keyed(1, "a"));
    bench.publish("jobs", keyed(2, "a"));
    let receipt = bench.receipt("jobs");
    bench.fail(receipt);
    assert_eq!(bench.receive_ids("jobs", 10), [2]);
}
