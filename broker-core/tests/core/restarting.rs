//! What a restart keeps.

use std::time::Duration;

use broker_core::{
    Why,
    command::{NewMessage, Receive, When},
    reply::{Published, SettleStatus},
    settings::{Ordering, QueueSettingsPatch},
};

use crate::bench::{Bench, keyed, message, receive, seconds};

fn jobs() -> Bench {
    Bench::with_queue(QueueSettingsPatch::default())
}

#[test]
fn a_receipt_from_before_a_restart_is_good() {
    let mut bench = jobs();
    bench.publish_ids("jobs", [1, 2]);
    let deliveries = bench.deliveries(receive("jobs", 2));
    bench.ack(deliveries[0].receipt.unwrap());
    bench.restart();
    assert_eq!(bench.states("jobs"), [0, 1, 0, 0]);
    assert_eq!(bench.ack(deliveries[0].receipt.unwrap()), SettleStatus::AlreadySettled);
    assert_eq!(bench.ack(deliveries[1].receipt.unwrap()), SettleStatus::Done);
}

#[test]
fn a_live_lease_runs_again_for_its_length_at_most_half_a_minute() {
    for (length, again) in [(10, 10), (3600, 30)] {
        let mut bench = jobs();
        bench.publish_ids("jobs", [1]);
        bench.deliveries(Receive { lease: Some(seconds(length)), ..receive("jobs", 1) });
        bench.wait(seconds(length - 1));
        bench.restart();
        bench.wait(seconds(again) - Duration::from_millis(1));
        assert_eq!(bench.states("jobs"), [0, 1, 0, 0]);
        bench.wait(Duration::from_millis(1));
        assert_eq!(bench.states("jobs"), [1, 0, 0, 0]);
    }
}

#[test]
fn where_a_group_is_undone_no_lease_ends_before_its_time() {
    let mut bench = jobs();
    bench.publish_ids("jobs", [1]);
    bench.deliveries(Receive { lease: Some(seconds(3600)), ..receive("jobs", 1) });
    bench.make_again(Why::Undo);
    bench.wait(seconds(3599));
    assert_eq!(bench.states("jobs"), [0, 1, 0, 0]);
    bench.wait(seconds(1));
    assert_eq!(bench.states("jobs"), [1, 0, 0, 0]);
}

#[test]
fn where_a_group_is_undone_a_lease_from_before_the_start_runs_as_long_as_that_gave_it() {
    for (extended, again) in [(None, 30), (Some(3600), 3600)] {
        let mut bench = jobs();
        bench.publish_ids("jobs", [1]);
        let taken = bench.deliveries(Receive { lease: Some(seconds(7200)), ..receive("jobs", 1) });
        bench.restart();
        if let Some(extended) = extended {
            bench.extend(taken[0].receipt.unwrap(), seconds(extended));
        }
        bench.make_again(Why::Undo);
        bench.wait(seconds(again - 1));
        assert_eq!(bench.states("jobs"), [0, 1, 0, 0]);
        bench.wait(seconds(1));
        assert_eq!(bench.states("jobs"), [1, 0, 0, 0]);
    }
}

#[test]
fn where_a_group_is_undone_the_short_extend_of_one_delivery_cuts_no_other_of_its_receive() {
    let mut bench = jobs();
    bench.publish_ids("jobs", [1, 2]);
    let taken = bench.deliveries(receive("jobs", 2));
    bench.extend(taken[0].receipt.unwrap(), seconds(1));
    bench.make_again(Why::Undo);
    bench.wait(seconds(29));
    assert_eq!(bench.states("jobs"), [0, 2, 0, 0]);
    bench.ack(taken[0].receipt.unwrap());
    bench.extend(taken[1].receipt.unwrap(), seconds(1));
    bench.make_again(Why::Undo);
    bench.wait(seconds(1));
    assert_eq!(bench.states("jobs"), [1, 0, 0, 0]);
}

#[test]
fn an_extended_lease_runs_again_for_the_length_it_was_extended_by() {
    let mut bench = jobs();
    bench.publish_ids("jobs", [1]);
    let receipt = bench.receipt("jobs");
    bench.extend(receipt, seconds(5));
    bench.restart();
    bench.wait(seconds(5));
    assert_eq!(bench.states("jobs"), [1, 0, 0, 0]);
}

#[test]
fn delivery_counts_and_first_times_are_kept() {
    let mut bench = jobs();
    bench.publish_ids("jobs", [1]);
    let first = bench.receive_one("jobs");
    bench.restart();
    bench.fail(first.receipt.unwrap());
    bench.wait(seconds(2));
    bench.restart();
    let second = bench.receive_one("jobs");
    assert_eq!((second.delivery_count, second.first_delivered_at), (2, first.first_delivered_at));
    bench.restart();
    bench.wait(seconds(30));
    bench.restart();
    let third = bench.receive_one("jobs");
    assert_eq!(third.delivery_count, 3);
    assert_eq!(bench.fail(second.receipt.unwrap()), SettleStatus::LeaseLost);
    bench.fail(third.receipt.unwrap());
    assert_eq!(bench.states("jobs"), [0, 0, 0, 1]);
}

#[test]
fn numbers_are_never_given_again() {
    let mut bench = jobs();
    bench.publish_ids("jobs", [1]);
    let old = bench.receipt("jobs");
    bench.ack(old);
    bench.restart();
    bench.publish_ids("jobs", [2]);
    let new = bench.receipt("jobs");
    assert!(new.sequence > old.sequence && new.lease > old.lease);
}

#[test]
fn deduplication_goes_on() {
    let mut bench = jobs();
    bench.publish_ids("jobs", [1]);
    bench.restart();
    assert_eq!(bench.publish("jobs", message(1)), Published { duplicate: true, queues: 1 });
    bench.wait(seconds(300));
    assert!(!bench.publish("jobs", message(1)).duplicate);
}

#[test]
fn delays_that_ended_meanwhile_have_ended() {
    let mut bench = jobs();
    bench.publish("jobs", NewMessage { available: Some(When::After(seconds(60))), ..message(1) });
    bench.publish("jobs", NewMessage { expires: Some(When::After(seconds(60))), ..message(2) });
    bench.now = bench.now.plus(seconds(60));
    bench.restart();
    assert_eq!((bench.states("jobs"), bench.counters("jobs").expired), ([1, 0, 0, 0], 1));
}

#[test]
fn a_leased_message_holds_its_key_over_a_restart() {
    let ordering = Some(Ordering::Key);
    let mut bench = Bench::with_queue(QueueSettingsPatch { ordering, ..Default::default() });
    bench.publish("jobs", keyed(1, "a"));
    bench.publish("jobs", keyed(2, "a"));
    let receipt = bench.receipt("jobs");
    bench.restart();
    assert!(bench.receive_ids("jobs", 1).is_empty());
    bench.ack(receipt);
    assert_eq!(bench.receive_ids("jobs", 1), [2]);
}
