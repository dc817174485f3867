//! Ending deliveries.

use std::{sync::Arc, time::Duration};

use broker_core::{
    change::FailureOutcome,
    command::{Command, NackKind, Receive},
    identity::{LeaseId, Receipt},
    reply::{Refusal, SettleStatus},
    settings::{BackoffPatch, QueueSettingsPatch},
};

use crate::bench::{Bench, name, receive, seconds};

/// A queue whose backoff is exact: 1 s, 2 s, 4 s.
fn jobs() -> Bench {
    let backoff = BackoffPatch { jitter: Some(0.0), ..Default::default() };
    let mut bench = Bench::with_queue(QueueSettingsPatch { backoff, ..Default::default() });
    bench.publish_ids("jobs", [1]);
    bench
}

#[test]
fn an_acked_message_is_gone_and_a_repeated_ack_is_harmless() {
    let mut bench = jobs();
    let receipt = bench.receipt("jobs");
    assert_eq!(bench.ack(receipt), SettleStatus::Done);
    assert_eq!(bench.ack(receipt), SettleStatus::AlreadySettled);
    assert_eq!((bench.states("jobs"), bench.counters("jobs").acked), ([0; 4], 1));
    assert!(bench.disk.messages.is_empty() && bench.disk.leases.is_empty());
}

#[test]
fn a_nacked_message_waits_for_the_backoff_of_its_count_and_is_dead_at_the_last() {
    let mut bench = jobs();
    for (count, pause) in [(1, 1), (2, 2)] {
        let delivery = bench.receive_one("jobs");
        assert_eq!((delivery.delivery_count, delivery.failed_before), (count, count > 1));
        bench.fail(delivery.receipt.unwrap());
        bench.wait(seconds(pause) - Duration::from_millis(1));
        assert_eq!(bench.states("jobs"), [0, 0, 1, 0]);
        bench.wait(Duration::from_millis(1));
        assert_eq!(bench.states("jobs"), [1, 0, 0, 0]);
    }
    let receipt = bench.receipt("jobs");
    bench.fail(receipt);
    assert_eq!(bench.states("jobs"), [0, 0, 0, 1]);
    let history = bench.disk.failures.values().next().unwrap();
    let told: Vec<_> = history.iter().map(|it| (it.number, it.delivery_count, it.outcome)).collect();
    assert_eq!(told, [1, 2, 3].map(|n| (n, n, FailureOutcome::Nacked)));
    assert!(history.iter().all(|it| it.reason.as_deref() == Some("it broke")));
}

#[test]
fn a_nack_may_say_how_long_the_message_waits() {
    let mut bench = jobs();
    let receipt = bench.receipt("jobs");
    bench.nack(receipt, NackKind::Failed, Some(seconds(20)));
    bench.wait(seconds(19));
    assert!(bench.receive_ids("jobs", 1).is_empty());
    bench.wait(seconds(1));
    assert_eq!(bench.receive_ids("jobs", 1), [1]);
}

#[test]
fn a_permanent_fault_makes_a_dead_letter_at_once() {
    let mut bench = jobs();
    let receipt = bench.receipt("jobs");
    assert_eq!(bench.kill(receipt), SettleStatus::Done);
    assert_eq!(bench.states("jobs"), [0, 0, 0, 1]);
    let history = bench.disk.failures.values().next().unwrap();
    assert_eq!(
        (history[0].outcome, history[0].delivered_at),
        (FailureOutcome::DeadLettered, Some(bench.now))
    );
}

#[test]
fn what_is_handed_back_uncounted_is_in_its_place_as_if_never_received() {
    let mut bench = jobs();
    bench.publish_ids("jobs", [2]);
    let first = bench.receive_one("jobs");
    bench.wait(seconds(1));
    bench.nack(first.receipt.unwrap(), NackKind::Uncounted, None);
    let again = bench.receive_one("jobs");
    assert_eq!((bench.id(&again), again.delivery_count, again.first_delivered_at), (1, 1, bench.now));
    assert!(!again.failed_before && bench.disk.failures.is_empty());
    assert_ne!(again.receipt, first.receipt);
}

#[test]
fn what_is_handed_back_uncounted_may_wait_too() {
    let mut bench = jobs();
    let receipt = bench.receipt("jobs");
    bench.nack(receipt, NackKind::Uncounted, Some(seconds(3)));
    assert_eq!(bench.states("jobs"), [0, 0, 1, 0]);
    bench.wait(seconds(3));
    assert_eq!(bench.receive_one("jobs").delivery_count, 1);
}

#[test]
fn a_lease_that_runs_out_is_a_failed_delivery_without_backoff() {
    let mut bench = jobs();
    for count in 1..=3 {
        let request = Receive { consumer: Some(Arc::from("worker-1")), ..receive("jobs", 1) };
        assert_eq!(bench.deliveries(request)[0].delivery_count, count);
        bench.woken.clear();
        bench.wait(seconds(30));
        assert_eq!(bench.woken.is_empty(), count == 3, "ready at once, until it is dead");
    }
    assert_eq!(bench.states("jobs"), [0, 0, 0, 1]);
    for failure in bench.disk.failures.values().next().unwrap() {
        assert_eq!(failure.outcome, FailureOutcome::LeaseExpired);
        assert_eq!(failure.reason.as_deref(), Some("lease expired"));
        assert_eq!(failure.consumer.as_deref(), Some("worker-1"));
    }
}

#[test]
fn a_receipt_whose_lease_ran_out_is_fenced_off() {
    let mut bench = jobs();
    let old = bench.receipt("jobs");
    bench.wait(seconds(30));
    assert_eq!(bench.ack(old), SettleStatus::LeaseLost);
    let new = bench.receipt("jobs");
    assert_eq!(bench.ack(old), SettleStatus::LeaseLost);
    assert_eq!(bench.fail(old), SettleStatus::LeaseLost);
    assert_eq!(bench.extend(old, seconds(30)), SettleStatus::LeaseLost);
    assert_eq!(bench.states("jobs"), [0, 1, 0, 0]);
    assert_eq!(bench.ack(new), SettleStatus::Done);
    assert_eq!(bench.fail(old), SettleStatus::AlreadySettled);
}

#[test]
fn a_receipt_of_a_dead_letter_is_lost_not_settled() {
    let mut bench = jobs();
    let receipt = bench.receipt("jobs");
    bench.kill(receipt);
    assert_eq!(bench.ack(receipt), SettleStatus::LeaseLost);
    assert_eq!(bench.extend(receipt, seconds(1)), SettleStatus::LeaseLost);
}

#[test]
fn the_nack_that_ended_the_latest_lease_sent_again_is_done_without_effect() {
    let mut bench = jobs();
    let first = bench.receipt("jobs");
    bench.fail(first);
    assert_eq!(bench.fail(first), SettleStatus::Done);
    bench.restart();
    assert_eq!(bench.fail(first), SettleStatus::Done);
    assert_eq!(bench.disk.failures.values().next().unwrap().len(), 1);
    bench.wait(seconds(1));
    let second = bench.receipt("jobs");
    assert_eq!(bench.fail(first), SettleStatus::LeaseLost, "it is leased again since");
    bench.kill(second);
    assert_eq!(bench.kill(second), SettleStatus::Done);
    assert_eq!(bench.fail(first), SettleStatus::LeaseLost);
}

#[test]
fn an_extended_lease_runs_from_now_and_a_shortened_one_too() {
    let mut bench = jobs();
    let receipt = bench.receipt("jobs");
    bench.wait(seconds(20));
    assert_eq!(bench.extend(receipt, seconds(30)), SettleStatus::Done);
    bench.wait(seconds(29));
    assert_eq!(bench.states("jobs"), [0, 1, 0, 0]);
    assert_eq!(bench.extend(receipt, Duration::from_millis(100)), SettleStatus::Done);
    bench.wait(Duration::from_millis(100));
    assert_eq!(bench.states("jobs"), [1, 0, 0, 0]);
}

#[test]
fn extending_one_message_of_a_receive_leaves_the_others_their_time() {
    let mut bench = jobs();
    bench.publish_ids("jobs", [2]);
    let deliveries = bench.deliveries(receive("jobs", 2));
    bench.wait(seconds(20));
    bench.extend(deliveries[1].receipt.unwrap(), seconds(60));
    bench.wait(seconds(10));
    assert_eq!(bench.states("jobs"), [1, 1, 0, 0]);
    assert_eq!(bench.receive_ids("jobs", 10), [1]);
    bench.wait(seconds(50));
    assert_eq!(bench.counters("jobs").redelivered, 1);
    assert_eq!(bench.states("jobs"), [2, 0, 0, 0]);
}

#[test]
fn an_extend_of_the_same_length_writes_nothing() {
    let mut bench = jobs();
    let receipt = bench.receipt("jobs");
    let extend = |lease| Command::Extend { queue: name("jobs"), receipts: vec![receipt], lease };
    let mut effects = broker_core::change::Effects::default();
    bench.core.apply(extend(seconds(30)), bench.now, &mut effects).unwrap();
    assert!(effects.changes.is_empty() && effects.counted.is_empty());
    bench.core.apply(extend(seconds(31)), bench.now, &mut effects).unwrap();
    assert_eq!(effects.changes.len(), 1);
}

#[test]
fn a_receipt_that_this_queue_never_gave_refuses_the_whole_call() {
    let mut bench = jobs();
    bench.put_queue("other", QueueSettingsPatch::default());
    bench.publish_ids("other", [2]);
    let ours = bench.receipt("jobs");
    let theirs = bench.receipt("other");
    let invented = Receipt { lease: LeaseId(99), ..ours };
    for wrong in [theirs, invented] {
        let ack = Command::Ack { queue: name("jobs"), receipts: vec![ours, wrong] };
        assert!(matches!(bench.apply(ack), Err(Refusal::ForeignReceipt { index: 1 })));
    }
    assert_eq!(bench.ack(ours), SettleStatus::Done, "nothing was settled");
}
