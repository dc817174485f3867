//! What is published twice is stored once.

use broker_core::{
    command::{Command, Destination, NewMessage, Publish},
    reply::{Published, Refusal},
    settings::{OnFull, QueueSettingsPatch, TopicSettingsPatch},
};
use std::time::Duration;

use crate::{
    bench::{Bench, message, name, seconds},
    filtering::{filtered, of_type, typed},
};

const NEW: Published = Published { duplicate: false, queues: 1 };
const DUPLICATE: Published = Published { duplicate: true, queues: 1 };

fn batch(bench: &mut Bench, messages: Vec<NewMessage>) -> Result<Vec<Published>, Refusal> {
    bench.try_publish(Destination::Queue(name("jobs")), messages)
}

#[test]
fn a_duplicate_within_the_window_is_counted_and_not_stored() {
    let mut bench = Bench::with_queue(QueueSettingsPatch::default());
    assert_eq!(bench.publish("jobs", message(1)), NEW);
    bench.wait(seconds(299));
    assert_eq!(bench.publish("jobs", message(1)), DUPLICATE);
    assert_eq!((bench.counters("jobs").published, bench.counters("jobs").duplicates), (1, 1));
    bench.wait(seconds(1));
    assert_eq!(bench.publish("jobs", message(1)), NEW);
}

#[test]
fn a_message_that_was_consumed_is_remembered_all_the_same() {
    let mut bench = Bench::with_queue(QueueSettingsPatch::default());
    bench.publish_ids("jobs", [1]);
    let receipt = bench.receipt("jobs");
    bench.ack(receipt);
    assert_eq!(bench.publish("jobs", message(1)), DUPLICATE);
}

#[test]
fn another_message_under_a_remembered_id_is_refused_with_its_place_and_nothing_is_stored() {
    let mut bench = Bench::with_queue(QueueSettingsPatch::default());
    bench.publish_ids("jobs", [1]);
    let other = NewMessage { fingerprint: 99, ..message(1) };
    assert_eq!(batch(&mut bench, vec![message(2), other]), Err(Refusal::IdReused { index: 1 }));
    assert_eq!(bench.states("jobs"), [1, 0, 0, 0]);
}

#[test]
fn an_id_twice_in_a_batch_is_a_duplicate_of_its_first() {
    let mut bench = Bench::with_queue(QueueSettingsPatch::default());
    assert_eq!(batch(&mut bench, vec![message(1), message(2), message(1)]).unwrap(), [NEW, NEW, DUPLICATE]);
    let other = NewMessage { fingerprint: 99, ..message(3) };
    assert_eq!(batch(&mut bench, vec![message(3), other]), Err(Refusal::IdReused { index: 1 }));
}

#[test]
fn ids_that_the_broker_made_are_not_remembered() {
    let mut bench = Bench::with_queue(QueueSettingsPatch::default());
    let made = || NewMessage { deduplicate: false, ..message(1) };
    assert_eq!(bench.publish("jobs", made()), NEW);
    assert_eq!(bench.publish("jobs", made()), NEW);
}

#[test]
fn a_window_of_nothing_turns_it_off() {
    let off = QueueSettingsPatch { deduplication_window: Some(Duration::ZERO), ..Default::default() };
    let mut bench = Bench::with_queue(off);
    assert_eq!(batch(&mut bench, vec![message(1), message(1)]).unwrap(), [NEW, NEW]);
}

#[test]
fn beyond_the_most_ids_the_oldest_is_forgotten_early_and_counted() {
    let few = QueueSettingsPatch { max_deduplication_ids: Some(2), ..Default::default() };
    let mut bench = Bench::with_queue(few);
    bench.publish_ids("jobs", [1, 2, 3]);
    assert_eq!(bench.core.queue(&name("jobs")).unwrap().ids_forgotten_early, 1);
    assert_eq!(bench.publish("jobs", message(3)), DUPLICATE);
    assert_eq!(bench.publish("jobs", message(1)), NEW);
}

#[test]
fn the_window_of_the_path_published_to_applies() {
    let mut bench = Bench::with_queue(QueueSettingsPatch::default());
    let off = TopicSettingsPatch { deduplication_window: Some(Duration::ZERO), ..Default::default() };
    bench.apply(Command::PutTopic { name: name("orders"), settings: off, only_create: false }).unwrap();
    bench.subscribe("orders", "jobs", OnFull::Reject);
    bench.publish_ids("jobs", [1]);
    for _ in 0..2 {
        let results = bench.try_publish(Destination::Topic(name("orders")), vec![message(1)]).unwrap();
        assert_eq!(results, [NEW], "the queue's window is nothing to a topic's copies");
    }
    assert_eq!(bench.publish("jobs", message(1)), DUPLICATE);
}

#[test]
fn a_publish_that_reached_no_queue_is_not_remembered_though_its_topic_retains_it() {
    for retention in [Duration::ZERO, seconds(60)] {
        let mut bench = Bench::with_queue(QueueSettingsPatch::default());
        bench.set_topic("orders", TopicSettingsPatch { retention: Some(retention), ..Default::default() });
        let publish =
            |bench: &mut Bench| bench.try_publish(Destination::Topic(name("orders")), vec![message(1)]);
        assert_eq!(publish(&mut bench).unwrap(), [Published { duplicate: false, queues: 0 }]);
        bench.restart();
        bench.subscribe("orders", "jobs", OnFull::Reject);
        assert_eq!(publish(&mut bench).unwrap(), [NEW]);
        assert_eq!(publish(&mut bench).unwrap(), [Published { duplicate: true, queues: 1 }]);
    }
}

#[test]
fn what_no_queue_wants_is_not_remembered_within_its_batch_either() {
    let mut bench = Bench::with_queue(QueueSettingsPatch::default());
    bench.put_topic("orders");
    bench.try_subscribe("orders", "jobs", filtered(Some(of_type("placed")))).unwrap();
    let of = |kind, fingerprint| NewMessage { fingerprint, ..typed(1, kind) };
    let events = vec![of("other", 1), of("other", 1), of("placed", 2), of("placed", 2)];
    let none = Published { duplicate: false, queues: 0 };
    let results = bench.try_publish(Destination::Topic(name("orders")), events).unwrap();
    assert_eq!(results, [none, none, NEW, DUPLICATE]);
}

#[test]
fn a_duplicate_to_a_full_queue_is_still_a_duplicate() {
    let small = QueueSettingsPatch { max_messages: Some(1), ..Default::default() };
    let mut bench = Bench::with_queue(small);
    bench.publish_ids("jobs", [1]);
    assert_eq!(bench.publish("jobs", message(1)), DUPLICATE);
    assert!(batch(&mut bench, vec![message(2)]).is_err());
}

#[test]
fn a_route_is_required_of_what_is_new_only() {
    let mut bench = Bench::with_queue(QueueSettingsPatch::default());
    bench.put_topic("orders");
    let publish = || {
        let destination = Destination::Topic(name("orders"));
        Command::Publish(Publish { destination, messages: vec![message(1)], require_route: true })
    };
    assert!(matches!(bench.apply(publish()), Err(Refusal::NoRoute { index: 0 })));
    bench.subscribe("orders", "jobs", OnFull::Reject);
    bench.apply(publish()).unwrap();
    let gone = Command::DeleteSubscription { topic: name("orders"), queue: name("jobs") };
    bench.apply(gone).unwrap();
    bench.apply(publish()).expect("a repeat of what was routed is a duplicate");
}

#[test]
fn a_duplicate_to_a_queue_whose_limit_was_lowered_below_what_waits_is_not_refused() {
    let mut bench = Bench::with_queue(QueueSettingsPatch::default());
    bench.publish_ids("jobs", [1, 2]);
    bench.put_queue("jobs", QueueSettingsPatch { max_messages: Some(1), ..Default::default() });
    assert_eq!(bench.publish("jobs", message(1)), DUPLICATE);
}
