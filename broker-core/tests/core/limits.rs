//! How much a queue takes.

use broker_core::{
    command::{Destination, NewMessage},
    reply::{Published, Refusal},
    settings::{Overflow, QueueSettingsPatch},
};
use units::Size;

use crate::bench::{Bench, message, name};

fn small(overflow: Overflow) -> Bench {
    Bench::with_queue(QueueSettingsPatch {
        max_messages: Some(3),
        max_bytes: Some(Size::bytes(100)),
        overflow: Some(overflow),
        ..Default::default()
    })
}

fn batch(bench: &mut Bench, ids: &[u64]) -> Result<Vec<Published>, Refusal> {
    let messages = ids.iter().map(|id| message(*id)).collect();
    bench.try_publish(Destination::Queue(name("jobs")), messages)
}

fn of_size(id: u64, size: u32) -> NewMessage {
    NewMessage { size, ..message(id) }
}

fn is_full(result: Result<Vec<Published>, Refusal>) -> bool {
    matches!(result, Err(Refusal::QueueFull { .. }))
}

#[test]
fn a_full_queue_refuses_the_whole_batch_and_counts_it() {
    let mut bench = small(Overflow::Reject);
    batch(&mut bench, &[1, 2]).unwrap();
    assert!(is_full(batch(&mut bench, &[3, 4])));
    assert_eq!(bench.states("jobs"), [2, 0, 0, 0]);
    assert_eq!(bench.counters("jobs").rejected, 2);
    batch(&mut bench, &[3]).expect("what fits is taken, and was not remembered as published");
}

#[test]
fn leased_and_delayed_messages_count_and_dead_ones_do_not() {
    let mut bench = small(Overflow::Reject);
    batch(&mut bench, &[1, 2, 3]).unwrap();
    let [dead, delayed, _leased] = [(); 3].map(|()| bench.receipt("jobs"));
    assert!(is_full(batch(&mut bench, &[4])));
    bench.fail(delayed);
    assert!(is_full(batch(&mut bench, &[4])));
    bench.kill(dead);
    batch(&mut bench, &[4]).unwrap();
    assert_eq!(bench.gauges("jobs").bytes, 30);
}

#[test]
fn the_bytes_are_limited_as_the_messages_are() {
    let mut bench = small(Overflow::Reject);
    bench.publish("jobs", of_size(1, 60));
    let publish =
        |bench: &mut Bench, size| bench.try_publish(Destination::Queue(name("jobs")), vec![of_size(2, size)]);
    assert!(is_full(publish(&mut bench, 41)));
    publish(&mut bench, 40).unwrap();
}

#[test]
fn what_can_never_fit_is_told_apart_from_what_does_not_fit_now() {
    for overflow in [Overflow::Reject, Overflow::DropOldest, Overflow::DeadLetterOldest] {
        let mut bench = small(overflow);
        batch(&mut bench, &[1, 2, 3]).unwrap();
        let never = |limit| Err(Refusal::NeverFits { queue: name("jobs"), limit });
        assert_eq!(batch(&mut bench, &[4, 5, 6, 7]), never("max_messages"));
        let too_big = bench.try_publish(Destination::Queue(name("jobs")), vec![of_size(4, 101)]);
        assert_eq!(too_big, never("max_bytes"));
        assert_eq!(bench.states("jobs"), [3, 0, 0, 0]);
    }
}

#[test]
fn the_oldest_waiting_messages_are_dropped_for_new_ones() {
    let mut bench = small(Overflow::DropOldest);
    batch(&mut bench, &[1, 2, 3]).unwrap();
    batch(&mut bench, &[4, 5]).unwrap();
    assert_eq!(bench.receive_ids("jobs", 10), [3, 4, 5]);
    assert_eq!(bench.counters("jobs").dropped, 2);
}

#[test]
fn the_oldest_waiting_messages_become_dead_letters_for_new_ones() {
    let mut bench = small(Overflow::DeadLetterOldest);
    batch(&mut bench, &[1, 2, 3]).unwrap();
    batch(&mut bench, &[4]).unwrap();
    assert_eq!(bench.states("jobs"), [3, 0, 0, 1]);
    let failure = bench.disk.failures.values().next().unwrap();
    assert_eq!(failure[0].reason.as_deref(), Some("queue was full"));
    assert_eq!((failure[0].number, failure[0].delivery_count), (1, 0));
}

#[test]
fn leased_messages_never_give_way() {
    for overflow in [Overflow::DropOldest, Overflow::DeadLetterOldest] {
        let mut bench = small(overflow);
        batch(&mut bench, &[1, 2, 3]).unwrap();
        assert_eq!(bench.receive_ids("jobs", 2), [1, 2]);
        assert!(is_full(batch(&mut bench, &[4, 5])), "one of two can give way");
        batch(&mut bench, &[4]).unwrap();
        assert_eq!(bench.receive_ids("jobs", 1), [4]);
        assert!(is_full(batch(&mut bench, &[5])));
    }
}

#[test]
fn a_batch_never_pushes_out_its_own_messages_for_delayed_ones() {
    let mut bench = small(Overflow::DropOldest);
    for id in 1..=3 {
        let later = Some(broker_core::command::When::After(crate::bench::seconds(60)));
        bench.publish("jobs", NewMessage { available: later, ..message(id) });
    }
    batch(&mut bench, &[4, 5]).unwrap();
    assert_eq!(bench.receive_ids("jobs", 10), [4, 5]);
    assert_eq!(bench.states("jobs"), [0, 2, 1, 0]);
}

#[test]
fn limits_may_be_lowered_below_what_waits() {
    let mut bench = small(Overflow::Reject);
    batch(&mut bench, &[1, 2, 3]).unwrap();
    bench.put_queue("jobs", QueueSettingsPatch { max_messages: Some(1), ..Default::default() });
    assert!(is_full(batch(&mut bench, &[4])));
    assert_eq!(bench.receive_ids("jobs", 10), [1, 2, 3]);
}
