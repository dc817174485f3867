//! What a subscription begins with: what its topic retains.

use broker_core::{
    command::SubscriptionPatch,
    reply::{Refusal, Reply},
    settings::{OnFull, QueueSettingsPatch, Start},
};

use crate::{
    bench::{Bench, message, name, seconds},
    replaying::{consume, keeps, publish},
};

#[test]
fn a_subscription_from_the_earliest_begins_with_what_is_retained() {
    let mut bench = Bench::with_queue(QueueSettingsPatch::default());
    bench.set_topic("orders", keeps(60));
    publish(&mut bench, &[1, 2]);
    let from = |start| SubscriptionPatch { start: Some(start), ..Default::default() };
    bench.try_subscribe("orders", "jobs", from(Start::Earliest)).unwrap();
    publish(&mut bench, &[3]);
    bench.restart();
    assert_eq!(consume(&mut bench), [1, 2, 3]);
    let again = bench.try_subscribe("orders", "jobs", from(Start::Earliest));
    assert!(matches!(again, Ok(Reply::Put { created: false })));
    assert!(consume(&mut bench).is_empty());
    let other = bench.try_subscribe("orders", "jobs", from(Start::New));
    assert!(matches!(other, Err(Refusal::SettingConflict { setting: "from" })));
}

#[test]
fn a_subscription_from_a_time_begins_with_what_was_published_then_or_later() {
    let mut bench = Bench::with_queue(QueueSettingsPatch::default());
    bench.set_topic("orders", keeps(60));
    publish(&mut bench, &[1]);
    bench.wait(seconds(1));
    let start = Start::Since(bench.now);
    publish(&mut bench, &[2]);
    let patch = SubscriptionPatch { start: Some(start), ..Default::default() };
    bench.try_subscribe("orders", "jobs", patch).unwrap();
    assert_eq!(consume(&mut bench), [2]);
    assert_eq!(bench.core.subscriptions(&name("orders"))[0].start, start);
}

#[test]
fn a_subscription_whose_beginning_does_not_fit_is_not_made() {
    let mut bench = Bench::with_queue(QueueSettingsPatch { max_messages: Some(1), ..Default::default() });
    bench.set_topic("orders", keeps(60));
    publish(&mut bench, &[1]);
    bench.publish("jobs", message(9));
    let from = SubscriptionPatch { start: Some(Start::Earliest), ..Default::default() };
    assert!(matches!(bench.try_subscribe("orders", "jobs", from), Err(Refusal::QueueFull { .. })));
    assert!(bench.core.subscriptions(&name("orders")).is_empty());
}

#[test]
fn a_subscription_that_may_miss_some_begins_with_the_first_that_fit_and_counts_the_others() {
    for (on_full, dead) in [(OnFull::Drop, 0), (OnFull::DeadLetter, 2)] {
        let mut bench = Bench::with_queue(QueueSettingsPatch { max_messages: Some(3), ..Default::default() });
        bench.set_topic("orders", keeps(60));
        publish(&mut bench, &[1, 2, 3, 4]);
        bench.publish("jobs", message(9));
        let patch =
            SubscriptionPatch { start: Some(Start::Earliest), on_full: Some(on_full), ..Default::default() };
        bench.try_subscribe("orders", "jobs", patch).unwrap();
        assert_eq!(bench.core.subscriptions(&name("orders"))[0].dropped, 2);
        bench.restart();
        assert_eq!(bench.states("jobs"), [3, 0, 0, dead]);
        assert_eq!(consume(&mut bench), [1, 2, 9]);
        assert_eq!(bench.core.subscriptions(&name("orders"))[0].dropped, 2);
    }
}
