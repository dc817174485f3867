//! Fan-out: each subscribed queue gets a copy, and a slow one need not stop the others.

use broker_core::{
    choice::Chosen,
    command::{Command, Destination, Publish, SubscriptionPatch},
    reply::{Published, Refusal, Reply},
    settings::{OnFull, Overflow, QueueSettingsPatch},
};

use crate::bench::{Bench, message, name, seconds};

/// A topic `orders` with the queues `wide` and `narrow` (of one message).
fn fan_out(on_full: OnFull) -> Bench {
    let mut bench = Bench::new();
    bench.put_topic("orders");
    bench.put_queue("wide", QueueSettingsPatch::default());
    bench.put_queue("narrow", QueueSettingsPatch { max_messages: Some(1), ..Default::default() });
    bench.subscribe("orders", "wide", OnFull::Reject);
    bench.subscribe("orders", "narrow", on_full);
    bench
}

fn publish(bench: &mut Bench, ids: &[u64]) -> Result<Vec<Published>, Refusal> {
    bench.try_publish(Destination::Topic(name("orders")), ids.iter().map(|id| message(*id)).collect())
}

fn taken_by(bench: &mut Bench, ids: &[u64]) -> Vec<u32> {
    publish(bench, ids).unwrap().iter().map(|it| it.queues).collect()
}

fn dropped(bench: &Bench) -> Vec<(String, u64)> {
    let subscriptions = bench.core.subscriptions(&name("orders"));
    subscriptions.iter().map(|it| (it.queue_name.to_string(), it.dropped)).collect()
}

#[test]
fn each_subscribed_queue_gets_a_copy_of_one_stored_message() {
    let mut bench = fan_out(OnFull::Reject);
    assert_eq!(taken_by(&mut bench, &[1]), [2]);
    assert_eq!(bench.disk.messages.len(), 1);
    let receipt = bench.receipt("wide");
    bench.ack(receipt);
    assert_eq!(bench.disk.messages.len(), 1);
    assert_eq!(bench.receive_ids("narrow", 1), [1]);
}

#[test]
fn a_full_subscriber_that_rejects_refuses_the_publish_for_all_and_is_named() {
    let mut bench = fan_out(OnFull::Reject);
    publish(&mut bench, &[1]).unwrap();
    let refused = publish(&mut bench, &[2]);
    assert!(matches!(refused, Err(Refusal::QueueFull { queue, .. }) if queue == name("narrow")));
    assert_eq!(bench.states("wide"), [1, 0, 0, 0]);
    assert_eq!((bench.counters("narrow").rejected, bench.counters("wide").rejected), (1, 0));
}

#[test]
fn a_full_subscriber_that_drops_misses_it_alone_and_it_is_counted() {
    let mut bench = fan_out(OnFull::Drop);
    assert_eq!(taken_by(&mut bench, &[1, 2, 3]), [2, 1, 1]);
    assert_eq!((bench.states("wide"), bench.states("narrow")), ([3, 0, 0, 0], [1, 0, 0, 0]));
    assert_eq!(dropped(&bench), [("narrow".to_owned(), 2), ("wide".to_owned(), 0)]);
    bench.restart();
    assert_eq!(dropped(&bench)[0].1, 2);
}

#[test]
fn a_full_subscriber_may_get_it_as_a_dead_letter() {
    let mut bench = fan_out(OnFull::DeadLetter);
    assert_eq!(taken_by(&mut bench, &[1, 2]), [2, 1]);
    assert_eq!(bench.states("narrow"), [1, 0, 0, 1]);
    assert_eq!((bench.counters("narrow").published, bench.counters("narrow").dead_lettered), (2, 1));
    bench.restart();
    assert_eq!(bench.states("narrow"), [1, 0, 0, 1]);
    assert_eq!(bench.disk.failures.values().next().unwrap()[0].reason.as_deref(), Some("queue was full"));
}

#[test]
fn what_one_subscriber_can_never_take_does_not_stop_the_others_where_it_drops() {
    let mut bench = fan_out(OnFull::Drop);
    bench.put_queue(
        "narrow",
        QueueSettingsPatch { max_bytes: Some(units::Size::bytes(5)), ..Default::default() },
    );
    assert_eq!(taken_by(&mut bench, &[1]), [1]);
    bench.subscribe("orders", "narrow", OnFull::Reject);
    assert!(matches!(publish(&mut bench, &[2]), Err(Refusal::NeverFits { .. })));
}

#[test]
fn a_subscriber_whose_oldest_give_way_gets_the_newest_of_a_batch_that_does_not_fit() {
    for (overflow, kept) in [(Overflow::Reject, [1, 2]), (Overflow::DropOldest, [4, 5])] {
        let mut bench = Bench::new();
        bench.put_topic("orders");
        let most = Some(2);
        let settings =
            QueueSettingsPatch { max_messages: most, overflow: Some(overflow), ..Default::default() };
        bench.put_queue("jobs", settings);
        bench.subscribe("orders", "jobs", OnFull::Drop);
        publish(&mut bench, &[1, 2, 3, 4, 5]).unwrap();
        assert_eq!(bench.receive_ids("jobs", 10), kept);
    }
}

#[test]
fn a_topic_without_subscribers_takes_what_nobody_gets_unless_a_route_is_required() {
    let mut bench = Bench::new();
    bench.put_topic("orders");
    assert_eq!(taken_by(&mut bench, &[1]), [0]);
    assert!(bench.disk.messages.is_empty());
    let destination = Destination::Topic(name("orders"));
    let publish = Publish { destination, messages: vec![message(2)], require_route: true };
    assert!(matches!(bench.apply(Command::Publish(publish)), Err(Refusal::NoRoute { index: 0 })));
}

#[test]
fn a_full_subscriber_that_misses_it_is_no_route_be_it_dropped_or_made_a_dead_letter() {
    for on_full in [OnFull::Drop, OnFull::DeadLetter] {
        let mut bench = Bench::new();
        bench.put_topic("orders");
        bench.put_queue("narrow", QueueSettingsPatch { max_messages: Some(1), ..Default::default() });
        bench.subscribe("orders", "narrow", on_full);
        let mut publish = |number| {
            let destination = Destination::Topic(name("orders"));
            let publish = Publish { destination, messages: vec![message(number)], require_route: true };
            bench.apply(Command::Publish(publish))
        };
        publish(1).unwrap();
        assert!(matches!(publish(2), Err(Refusal::NoRoute { index: 0 })), "{on_full:?}");
        assert_eq!(bench.states("narrow"), [1, 0, 0, 0]);
    }
}

#[test]
fn a_message_waits_in_each_queue_by_that_queues_own_settings() {
    let mut bench = fan_out(OnFull::Reject);
    bench.put_queue("narrow", QueueSettingsPatch { delay: Some(seconds(9)), ..Default::default() });
    publish(&mut bench, &[1]).unwrap();
    bench.restart();
    assert_eq!((bench.states("wide"), bench.states("narrow")), ([1, 0, 0, 0], [0, 0, 1, 0]));
}

#[test]
fn an_unsubscribed_queue_keeps_what_it_has_and_gets_no_more() {
    let mut bench = fan_out(OnFull::Reject);
    publish(&mut bench, &[1]).unwrap();
    let gone = || Command::DeleteSubscription { topic: name("orders"), queue: name("narrow") };
    bench.apply(gone()).unwrap();
    assert!(matches!(bench.apply(gone()), Err(Refusal::SubscriptionNotFound { .. })));
    assert_eq!(taken_by(&mut bench, &[2]), [1]);
    assert_eq!(bench.states("narrow"), [1, 0, 0, 0]);
}

#[test]
fn subscribing_again_changes_what_is_named_and_keeps_the_count() {
    let mut bench = fan_out(OnFull::Drop);
    publish(&mut bench, &[1, 2]).unwrap();
    let put = |on_full, only_create| {
        let (topic, queue) = (name("orders"), name("narrow"));
        let settings = SubscriptionPatch { on_full, ..Default::default() };
        Command::PutSubscription { topic, queue, settings, only_create, chosen: Chosen::All }
    };
    assert!(matches!(bench.apply(put(None, false)), Ok(Reply::Put { created: false })));
    assert_eq!(bench.core.subscriptions(&name("orders"))[0].on_full, OnFull::Drop);
    bench.apply(put(Some(OnFull::Reject), false)).unwrap();
    let narrow = &bench.core.subscriptions(&name("orders"))[0];
    assert_eq!((narrow.on_full, narrow.dropped), (OnFull::Reject, 1));
    assert!(matches!(bench.apply(put(None, true)), Err(Refusal::AlreadyExists)));
}

#[test]
fn a_topic_that_is_made_again_remembers_nothing_of_the_old_one() {
    let mut bench = fan_out(OnFull::Reject);
    publish(&mut bench, &[1]).unwrap();
    bench.apply(Command::DeleteTopic { name: name("orders") }).unwrap();
    assert!(matches!(publish(&mut bench, &[1]), Err(Refusal::TopicNotFound(_))));
    bench.put_topic("orders");
    bench.restart();
    assert!(bench.core.subscriptions(&name("orders")).is_empty());
    assert_eq!(publish(&mut bench, &[1]).unwrap(), [Published { duplicate: false, queues: 0 }]);
}
