//! What a topic retains: how long, how it is read, and how it gets into queues again.

use broker_core::{
    choice::Chosen,
    command::{Command, DeadLetters, Destination, NewMessage, Span, SubscriptionPatch, When},
    identity::Sequence,
    reply::{Refusal, Reply},
    settings::{OnFull, Ordering, QueueSettingsPatch, Start, TopicSettingsPatch},
};
use units::{Size, Timestamp};

use crate::bench::{Bench, keyed, message, name, receive, seconds};

pub(crate) fn keeps(length: u64) -> TopicSettingsPatch {
    TopicSettingsPatch { retention: Some(seconds(length)), ..Default::default() }
}

/// A topic `orders` that retains for a minute, with the queue `jobs`.
pub(crate) fn retaining() -> Bench {
    let mut bench = Bench::with_queue(QueueSettingsPatch::default());
    bench.set_topic("orders", keeps(60));
    bench.subscribe("orders", "jobs", OnFull::Reject);
    bench
}

pub(crate) fn publish(bench: &mut Bench, ids: &[u64]) {
    let messages = ids.iter().map(|id| message(*id)).collect();
    bench.try_publish(Destination::Topic(name("orders")), messages).unwrap();
}

fn retained(bench: &Bench) -> Vec<u64> {
    let all = bench.core.retained(&name("orders"), Span::default(), None, 100);
    all.iter().map(|it| it.sequence.0).collect()
}

fn try_replay(bench: &mut Bench, span: Span, chosen: Chosen) -> Result<u64, Refusal> {
    let replay = Command::Replay { topic: name("orders"), queue: name("jobs"), span, chosen };
    bench.apply(replay).map(|reply| match reply {
        Reply::Replayed { count } => count,
        other => panic!("{other:?}"),
    })
}

fn replay(bench: &mut Bench) -> u64 {
    try_replay(bench, Span::default(), Chosen::All).unwrap()
}

/// Receives and acks all that is ready, and tells the ids.
pub(crate) fn consume(bench: &mut Bench) -> Vec<u64> {
    let mut ids = Vec::new();
    loop {
        let deliveries = bench.deliveries(receive("jobs", 1));
        let Some(delivery) = deliveries.first() else { return ids };
        ids.push(bench.id(delivery));
        bench.ack(delivery.receipt.unwrap());
    }
}

#[test]
fn a_topic_keeps_what_is_published_for_its_retention_whether_or_not_anybody_takes_it() {
    let mut bench = retaining();
    publish(&mut bench, &[1]);
    consume(&mut bench);
    bench.apply(Command::DeleteSubscription { topic: name("orders"), queue: name("jobs") }).unwrap();
    bench.wait(seconds(30));
    publish(&mut bench, &[2]);
    bench.restart();
    assert_eq!(retained(&bench), [1, 2]);
    bench.wait(seconds(30));
    assert_eq!(retained(&bench), [2]);
    bench.wait(seconds(30));
    assert!(retained(&bench).is_empty());
    assert!(bench.disk.messages.is_empty());
}

#[test]
fn a_topic_keeps_nothing_by_default_and_nothing_more_once_its_retention_is_taken_away() {
    let mut bench = retaining();
    publish(&mut bench, &[1]);
    bench.set_topic("orders", keeps(0));
    bench.wait(seconds(0));
    publish(&mut bench, &[2]);
    assert!(retained(&bench).is_empty());
    consume(&mut bench);
    assert!(bench.disk.messages.is_empty());
}

#[test]
fn beyond_its_bytes_a_topic_lets_the_oldest_go() {
    let mut bench = retaining();
    let few = TopicSettingsPatch { retention_bytes: Some(Size::bytes(25)), ..Default::default() };
    bench.set_topic("orders", few);
    publish(&mut bench, &[1, 2, 3]);
    bench.wait(seconds(0));
    assert_eq!(retained(&bench), [2, 3]);
    assert_eq!(bench.core.topic(&name("orders")).unwrap().retained_bytes, 20);
    bench.restart();
    assert_eq!(retained(&bench), [2, 3]);
    assert_eq!(consume(&mut bench), [1, 2, 3]);
}

#[test]
fn a_message_whose_queue_is_done_with_it_stays_until_the_topic_is_too() {
    let mut bench = retaining();
    publish(&mut bench, &[1]);
    consume(&mut bench);
    bench.restart();
    assert_eq!((retained(&bench), bench.states("jobs")), (vec![1], [0, 0, 0, 0]));
    publish(&mut bench, &[2]);
    bench.wait(seconds(60));
    bench.restart();
    assert!(retained(&bench).is_empty());
    assert_eq!(consume(&mut bench), [2]);
    assert!(bench.disk.messages.is_empty());
}

#[test]
fn a_topic_that_is_removed_lets_all_go_that_no_queue_holds() {
    let mut bench = retaining();
    publish(&mut bench, &[1, 2]);
    let first = bench.receipt("jobs");
    bench.ack(first);
    bench.apply(Command::DeleteTopic { name: name("orders") }).unwrap();
    bench.wait(seconds(0));
    assert_eq!(bench.disk.messages.len(), 1);
    bench.restart();
    assert_eq!(consume(&mut bench), [2]);
    assert!(bench.disk.messages.is_empty());
}

#[test]
fn a_replay_puts_what_was_consumed_into_the_queue_again_in_publish_order() {
    let mut bench = retaining();
    publish(&mut bench, &[1, 2, 3]);
    assert_eq!(consume(&mut bench), [1, 2, 3]);
    assert_eq!(replay(&mut bench), 3);
    bench.restart();
    let delivery = bench.receive_one("jobs");
    assert_eq!((delivery.replayed, delivery.delivery_count, bench.id(&delivery)), (true, 1, 1));
    bench.ack(delivery.receipt.unwrap());
    assert_eq!(consume(&mut bench), [2, 3]);
    assert_eq!((bench.counters("jobs").published, bench.counters("jobs").replayed), (3, 3));
}

#[test]
fn a_replay_takes_what_was_published_between_two_times() {
    let mut bench = retaining();
    let mut times = Vec::<Timestamp>::new();
    for id in 1..=4 {
        times.push(bench.now);
        publish(&mut bench, &[id]);
        bench.wait(seconds(1));
    }
    consume(&mut bench);
    let span = Span { from: Some(times[1]), to: Some(times[2]) };
    assert_eq!(try_replay(&mut bench, span, Chosen::All), Ok(2));
    assert_eq!(consume(&mut bench), [2, 3]);
}

#[test]
fn a_replay_passes_over_what_is_in_the_queue_in_whatever_state() {
    let mut bench = retaining();
    publish(&mut bench, &[1, 2, 3, 4]);
    let (gone, dead, _leased) = (bench.receipt("jobs"), bench.receipt("jobs"), bench.receipt("jobs"));
    bench.ack(gone);
    bench.kill(dead);
    assert_eq!(replay(&mut bench), 1);
    assert_eq!(bench.states("jobs"), [2, 1, 0, 1]);
}

#[test]
fn a_replay_that_does_not_fit_is_refused_whole() {
    let mut bench = retaining();
    publish(&mut bench, &[1, 2, 3]);
    consume(&mut bench);
    bench.put_queue("jobs", QueueSettingsPatch { max_messages: Some(3), ..Default::default() });
    bench.publish("jobs", message(9));
    let refused = try_replay(&mut bench, Span::default(), Chosen::All);
    assert!(matches!(refused, Err(Refusal::QueueFull { .. })));
    assert_eq!((bench.states("jobs"), bench.counters("jobs").replayed), ([1, 0, 0, 0], 0));
    bench.put_queue("jobs", QueueSettingsPatch { max_messages: Some(2), ..Default::default() });
    let refused = try_replay(&mut bench, Span::default(), Chosen::All);
    assert!(matches!(refused, Err(Refusal::NeverFits { limit: "max_messages", .. })));
}

#[test]
fn only_a_subscribed_queue_is_replayed_to() {
    let mut bench = retaining();
    bench.apply(Command::DeleteSubscription { topic: name("orders"), queue: name("jobs") }).unwrap();
    let refused = try_replay(&mut bench, Span::default(), Chosen::All);
    assert!(matches!(refused, Err(Refusal::SubscriptionNotFound { .. })));
}

#[test]
fn a_ttl_starts_again_with_a_replay() {
    let mut bench = retaining();
    bench.put_queue("jobs", QueueSettingsPatch { ttl: Some(Some(seconds(10))), ..Default::default() });
    publish(&mut bench, &[1]);
    bench.wait(seconds(20));
    assert_eq!(bench.counters("jobs").expired, 1);
    replay(&mut bench);
    bench.wait(seconds(9));
    bench.restart();
    assert_eq!(bench.states("jobs"), [1, 0, 0, 0]);
    bench.wait(seconds(1));
    assert_eq!(bench.counters("jobs").expired, 2);
}

#[test]
fn what_a_message_says_of_its_own_end_holds_in_a_replay_too() {
    let mut bench = retaining();
    let until = bench.now.plus(seconds(20));
    let messages = vec![
        NewMessage { expires: Some(When::At(until)), ..message(1) },
        NewMessage { expires: Some(When::After(seconds(10))), ..message(2) },
        message(3),
    ];
    bench.try_publish(Destination::Topic(name("orders")), messages).unwrap();
    assert_eq!(consume(&mut bench), [1, 2, 3]);
    bench.wait(seconds(15));
    assert_eq!(replay(&mut bench), 2, "the second is over");
    bench.restart();
    bench.wait(seconds(5));
    assert_eq!((consume(&mut bench), bench.counters("jobs").expired), (vec![3], 1));
    assert_eq!(replay(&mut bench), 1);
}

#[test]
fn what_is_not_due_yet_waits_for_its_time_in_a_queue_that_gets_it_later() {
    let mut bench = retaining();
    let later = |id, when| NewMessage { available: Some(when), ..message(id) };
    let messages = vec![
        later(1, When::After(seconds(30))),
        later(2, When::At(bench.now.plus(seconds(40)))),
        NewMessage { expires: Some(When::After(seconds(5))), ..later(3, When::After(seconds(30))) },
        message(4),
    ];
    bench.try_publish(Destination::Topic(name("orders")), messages).unwrap();
    bench.put_queue("late", QueueSettingsPatch::default());
    let from = SubscriptionPatch { start: Some(Start::Earliest), ..Default::default() };
    bench.try_subscribe("orders", "late", from).unwrap();
    assert_eq!(bench.states("late"), [1, 0, 3, 0]);
    bench.wait(seconds(30));
    bench.restart();
    assert_eq!(bench.states("late"), [3, 0, 1, 0]);
    bench.wait(seconds(10));
    assert_eq!((bench.states("late"), bench.counters("late").expired), ([3, 0, 0, 0], 1));
}

#[test]
fn a_replayed_message_takes_its_place_in_publish_order() {
    let mut bench = retaining();
    bench.put_queue("jobs", QueueSettingsPatch { ordering: Some(Ordering::Key), ..Default::default() });
    let topic = || Destination::Topic(name("orders"));
    bench.try_publish(topic(), vec![keyed(1, "a")]).unwrap();
    consume(&mut bench);
    bench.try_publish(topic(), vec![keyed(2, "a")]).unwrap();
    bench.wait(seconds(1));
    assert_eq!(replay(&mut bench), 1);
    bench.restart();
    assert_eq!(consume(&mut bench), [1, 2]);
}

#[test]
fn a_replayed_message_is_not_under_an_old_lease_that_names_it_after_a_restart() {
    let mut bench = retaining();
    publish(&mut bench, &[1, 2]);
    let old = bench.deliveries(receive("jobs", 2));
    bench.ack(old[0].receipt.unwrap());
    assert_eq!(replay(&mut bench), 1);
    bench.restart();
    assert_eq!(bench.states("jobs"), [1, 1, 0, 0]);
    let again = bench.receive_one("jobs");
    assert_eq!((again.sequence, again.delivery_count), (Sequence(1), 1));
}

#[test]
fn a_dead_letter_moved_here_is_not_under_an_old_lease_that_names_it_after_a_restart() {
    let mut bench = retaining();
    bench.put_queue("other", QueueSettingsPatch::default());
    bench.subscribe("orders", "other", OnFull::Reject);
    publish(&mut bench, &[1, 2]);
    let old = bench.deliveries(receive("jobs", 2));
    bench.ack(old[0].receipt.unwrap());
    let dying = bench.receipt("other");
    bench.kill(dying);
    bench.redrive("other", DeadLetters::All, Some("jobs"));
    bench.restart();
    assert_eq!(bench.states("jobs"), [1, 1, 0, 0]);
}
