//! Looks at the core.

use broker_core::{
    command::{Destination, NewMessage, When},
    identity::Selector,
    settings::{OnFull, QueueSettingsPatch},
    view::WaitingState::{Delayed, Leased, Ready},
};

use crate::bench::{Bench, message, name, seconds, selector};

/// A queue with a leased, a ready, a backing-off and a delayed message, published in the order 1, 3, 2, 4.
fn one_of_each() -> Bench {
    let mut bench = Bench::with_queue(QueueSettingsPatch::default());
    bench.publish_ids("jobs", [1, 3]);
    bench.receipt("jobs");
    let backing_off = bench.receipt("jobs");
    bench.publish_ids("jobs", [2]);
    bench.publish("jobs", NewMessage { available: Some(When::After(seconds(60))), ..message(4) });
    bench.fail(backing_off);
    bench
}

#[test]
fn a_queue_is_browsed_in_its_order_with_each_messages_state() {
    let bench = one_of_each();
    let all = bench.core.browse(&name("jobs"), None, None, 10);
    let told: Vec<_> = all.iter().map(|it| (it.sequence.0, it.state, it.delivery_count)).collect();
    assert_eq!(told, [(1, Leased, 1), (2, Delayed, 1), (3, Ready, 0), (4, Delayed, 0)]);
    let after = bench.core.browse(&name("jobs"), None, Some(all[1].position), 1);
    assert_eq!(after, all[2..3]);
}

#[test]
fn one_state_is_browsed_alone() {
    let bench = one_of_each();
    let only = |state, after| {
        let found = bench.core.browse(&name("jobs"), Some(state), after, 10);
        found.iter().map(|it| it.sequence.0).collect::<Vec<_>>()
    };
    assert_eq!((only(Ready, None), only(Leased, None), only(Delayed, None)), (vec![3], vec![1], vec![2, 4]));
    let first = &bench.core.browse(&name("jobs"), Some(Delayed), None, 1)[0];
    assert_eq!(only(Delayed, Some(first.position)), [4]);
}

#[test]
fn the_oldest_age_counts_from_the_oldest_that_is_not_dead() {
    let mut bench = Bench::with_queue(QueueSettingsPatch::default());
    bench.publish_ids("jobs", [1]);
    let start = bench.now;
    bench.wait(seconds(5));
    bench.publish_ids("jobs", [2]);
    let receipt = bench.receipt("jobs");
    let oldest = |bench: &Bench| bench.core.queue(&name("jobs")).unwrap().oldest_at;
    assert_eq!(oldest(&bench), Some(start));
    bench.kill(receipt);
    assert_eq!(oldest(&bench), Some(bench.now));
}

#[test]
fn the_age_of_what_was_published_with_a_delay_counts_from_when_that_is_over() {
    let mut bench = Bench::with_queue(QueueSettingsPatch::default());
    bench.publish("jobs", NewMessage { available: Some(When::After(seconds(60))), ..message(1) });
    let due = bench.now.plus(seconds(60));
    let oldest = |bench: &Bench| bench.core.queue(&name("jobs")).unwrap().oldest_at;
    assert_eq!(oldest(&bench), Some(due));
    bench.publish_ids("jobs", [2]);
    let receipt = bench.receipt("jobs");
    bench.fail(receipt);
    assert_eq!(oldest(&bench), Some(bench.now), "what backs off could be received before");
}

#[test]
fn a_message_is_found_by_its_id_in_every_queue_that_holds_it() {
    let mut bench = Bench::new();
    bench.put_topic("orders");
    for queue in ["one", "two"] {
        bench.put_queue(queue, QueueSettingsPatch::default());
        bench.subscribe("orders", queue, OnFull::Reject);
    }
    bench.try_publish(Destination::Topic(name("orders")), vec![message(7)]).unwrap();
    let ids = ["one", "two"].map(|queue| bench.core.queue(&name(queue)).unwrap().id);
    let found = bench.core.find_anywhere(selector(7));
    assert_eq!(found.iter().map(|it| (&it.queues[..], it.topic)).collect::<Vec<_>>(), [(&ids[..], None)]);
    assert_eq!(bench.core.find(&name("one"), selector(7)).len(), 1);
    assert!(bench.core.find(&name("one"), Selector { id: 7, whole: Some(1) }).is_empty());
    assert!(bench.core.find_dead(&name("one"), selector(7)).is_empty());
}

#[test]
fn queues_are_listed_by_name_page_by_page() {
    let mut bench = Bench::new();
    for queue in ["c", "a", "b"] {
        bench.put_queue(queue, QueueSettingsPatch::default());
    }
    let names = |after: Option<&str>, limit| {
        let after = after.map(name);
        let page = bench.core.queues(after.as_ref()).take(limit);
        page.map(|queue| queue.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(None, 2), ["a", "b"]);
    assert_eq!(names(Some("b"), 2), ["c"]);
}
