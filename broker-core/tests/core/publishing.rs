//! Publishing to a queue.

use broker_core::{
    activity::ActivityKind,
    change::{Change, Effects},
    command::{Command, Destination, Publish},
    reply::Refusal,
    settings::QueueSettingsPatch,
};

use crate::bench::{Bench, message, name};

fn publish(ids: &[u64]) -> Command {
    let messages = ids.iter().map(|id| message(*id)).collect();
    Command::Publish(Publish { destination: Destination::Queue(name("jobs")), messages, require_route: true })
}

#[test]
fn a_published_message_is_ready_and_wakes_who_waits() {
    let mut bench = Bench::with_queue(QueueSettingsPatch::default());
    bench.apply(publish(&[1, 2])).unwrap();
    assert_eq!(bench.woken, [name("jobs")]);
    assert_eq!((bench.states("jobs"), bench.gauges("jobs").bytes), ([2, 0, 0, 0], 20));
}

#[test]
fn an_unknown_destination_is_named() {
    let mut bench = Bench::new();
    assert!(
        matches!(bench.apply(publish(&[1])), Err(Refusal::QueueNotFound(queue)) if queue == name("jobs"))
    );
}

#[test]
fn the_whole_life_of_a_message_costs_one_row_a_lease_and_a_removal() {
    let mut bench = Bench::with_queue(QueueSettingsPatch::default());
    let mut effects = Effects::default();
    bench.core.apply(publish(&[1]), bench.now, &mut effects).unwrap();
    let receive = Command::Receive(crate::bench::receive("jobs", 1));
    let reply = bench.core.apply(receive, bench.now, &mut effects).unwrap();
    let broker_core::reply::Reply::Delivered(deliveries) = reply else { panic!("{reply:?}") };
    let receipts = deliveries.iter().filter_map(|it| it.receipt).collect();
    bench.core.apply(Command::Ack { queue: name("jobs"), receipts }, bench.now, &mut effects).unwrap();
    let [message, id, lease, gone, over] = &effects.changes[..] else { panic!("{:?}", effects.changes) };
    assert!(matches!((message, id), (Change::MessagePut(..), Change::IdRemembered(_))));
    assert!(matches!((lease, over), (Change::LeasePut(_), Change::LeaseGone(_))));
    assert!(matches!(gone, Change::MessageGone { has_records: false, .. }));
}

#[test]
fn what_happens_is_told_in_order() {
    let mut bench = Bench::with_queue(QueueSettingsPatch::default());
    bench.publish_ids("jobs", [1]);
    let receipt = bench.receipt("jobs");
    bench.ack(receipt);
    assert_eq!(
        bench.happened(),
        [ActivityKind::Published, ActivityKind::Copied, ActivityKind::Leased, ActivityKind::Acked]
    );
}
