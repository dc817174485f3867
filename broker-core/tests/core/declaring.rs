//! Making, changing and removing queues and topics.

use std::time::Duration;

use broker_core::{
    command::{Command, Destination},
    identity::{QueueId, Receipt, Sequence},
    reply::{Refusal, Reply, SettleStatus},
    settings::{OnFull, Ordering, QueueSettingsPatch},
};

use crate::bench::{Bench, keyed, message, name, seconds};

fn put(bench: &mut Bench, settings: QueueSettingsPatch, only_create: bool) -> Result<bool, Refusal> {
    let reply = bench.apply(Command::PutQueue { name: name("jobs"), settings, only_create })?;
    assert!(matches!(reply, Reply::Put { .. }));
    Ok(matches!(reply, Reply::Put { created: true }))
}

fn lease(length: Duration) -> QueueSettingsPatch {
    QueueSettingsPatch { lease: Some(length), ..Default::default() }
}

fn order(ordering: Ordering) -> QueueSettingsPatch {
    QueueSettingsPatch { ordering: Some(ordering), ..Default::default() }
}

#[test]
fn a_queue_is_created_once_and_changed_after() {
    let mut bench = Bench::new();
    assert_eq!(put(&mut bench, lease(seconds(9)), false), Ok(true));
    assert_eq!(put(&mut bench, QueueSettingsPatch::default(), false), Ok(false));
    assert_eq!(bench.core.queue(&name("jobs")).unwrap().settings.lease, seconds(9));
    assert_eq!(put(&mut bench, lease(seconds(5)), true), Err(Refusal::AlreadyExists));
    assert_eq!(bench.core.queue(&name("jobs")).unwrap().settings.lease, seconds(9));
}

#[test]
fn there_are_so_many_queues_and_topics_and_those_that_are_there_stay() {
    let mut bench = Bench::with_queue(lease(seconds(9)));
    let topic = |name| Command::PutTopic { name, settings: Default::default(), only_create: false };
    let queue = |name| Command::PutQueue { name, settings: Default::default(), only_create: false };
    bench.core.limit_destinations(2);
    bench.apply(topic(name("orders"))).unwrap();
    for refused in [queue(name("more")), topic(name("more"))] {
        assert_eq!(bench.apply(refused).unwrap_err(), Refusal::TooManyQueues { limit: 2 });
    }
    assert_eq!(put(&mut bench, lease(seconds(5)), false), Ok(false));
    bench.apply(Command::DeleteTopic { name: name("orders") }).unwrap();
    bench.apply(queue(name("more"))).unwrap();
    bench.core.limit_destinations(1);
    assert_eq!(put(&mut bench, lease(seconds(7)), false), Ok(false));
}

#[test]
fn declaring_the_same_again_writes_nothing() {
    let mut bench = Bench::with_queue(lease(seconds(9)));
    let mut effects = broker_core::change::Effects::default();
    let command = Command::PutQueue { name: name("jobs"), settings: lease(seconds(9)), only_create: false };
    bench.core.apply(command, bench.now, &mut effects).unwrap();
    assert!(effects.changes.is_empty() && effects.counted.is_empty());
}

#[test]
fn a_wrong_setting_changes_nothing() {
    let mut bench = Bench::with_queue(lease(seconds(9)));
    let wrong = put(&mut bench, lease(Duration::ZERO), false);
    assert!(matches!(wrong, Err(Refusal::InvalidSetting { field: "lease", .. })));
    assert_eq!(bench.core.queue(&name("jobs")).unwrap().settings.lease, seconds(9));
}

#[test]
fn ordering_changes_only_while_no_message_waits_or_is_leased() {
    let mut bench = Bench::with_queue(QueueSettingsPatch::default());
    assert_eq!(put(&mut bench, order(Ordering::Key), false), Ok(false));
    bench.publish("jobs", keyed(1, "a"));
    let conflict = Err(Refusal::SettingConflict { setting: "ordering" });
    assert_eq!(put(&mut bench, order(Ordering::Fifo), false), conflict);
    assert_eq!(put(&mut bench, order(Ordering::Key), false), Ok(false));
    let receipt = bench.receipt("jobs");
    assert_eq!(put(&mut bench, order(Ordering::Fifo), false), conflict);
    bench.kill(receipt);
    assert_eq!(put(&mut bench, order(Ordering::Fifo), false), Ok(false), "a dead letter does not wait");
}

#[test]
fn a_queue_with_anything_in_it_is_removed_only_by_force() {
    let mut bench = Bench::with_queue(QueueSettingsPatch::default());
    bench.publish_ids("jobs", [1, 2]);
    let receipt = bench.receipt("jobs");
    bench.kill(receipt);
    let remove = |force| Command::DeleteQueue { name: name("jobs"), force };
    assert!(matches!(bench.apply(remove(false)), Err(Refusal::QueueNotEmpty { live: 1, dead: 1 })));
    bench.apply(remove(true)).unwrap();
    assert!(matches!(bench.apply(remove(true)), Err(Refusal::QueueNotFound(_))));
    bench.wait(Duration::ZERO);
    assert!(bench.disk.messages.is_empty() && bench.disk.failures.is_empty());
}

#[test]
fn a_removed_queues_messages_stay_in_the_other_queues_that_have_them() {
    let mut bench = Bench::new();
    bench.put_topic("orders");
    for queue in ["one", "two"] {
        bench.put_queue(queue, QueueSettingsPatch::default());
        bench.subscribe("orders", queue, OnFull::Reject);
    }
    bench.try_publish(Destination::Topic(name("orders")), vec![message(1)]).unwrap();
    bench.apply(Command::DeleteQueue { name: name("one"), force: true }).unwrap();
    bench.wait(Duration::ZERO);
    bench.restart();
    assert_eq!(bench.receive_ids("two", 10), [1]);
}

#[test]
fn what_is_on_record_of_a_removed_queue_goes_with_the_message_after_a_restart_too() {
    for restarts in [false, true] {
        let mut bench = Bench::new();
        bench.put_topic("orders");
        for queue in ["one", "two"] {
            bench.put_queue(queue, QueueSettingsPatch::default());
            bench.subscribe("orders", queue, OnFull::Reject);
        }
        bench.try_publish(Destination::Topic(name("orders")), vec![message(1)]).unwrap();
        let failed = bench.receipt("one");
        bench.fail(failed);
        bench.apply(Command::DeleteQueue { name: name("one"), force: true }).unwrap();
        if restarts {
            bench.restart();
        }
        let receipt = bench.receipt("two");
        bench.ack(receipt);
        bench.wait(Duration::ZERO);
        assert!(bench.disk.messages.is_empty() && bench.disk.failures.is_empty());
    }
}

#[test]
fn a_million_messages_of_a_removed_queue_go_in_slices() {
    let mut bench = Bench::with_queue(QueueSettingsPatch::default());
    bench.publish_ids("jobs", 0..5000);
    bench.apply(Command::DeleteQueue { name: name("jobs"), force: true }).unwrap();
    let mut effects = broker_core::change::Effects::default();
    bench.core.tick(bench.now, &mut effects);
    assert_eq!(effects.changes.len(), 2000);
    assert_eq!(bench.core.next_deadline(), Some(bench.now), "the rest is due at once");
    bench.disk.record(&mut effects, &bench.core);
    bench.restart();
    assert!(bench.disk.messages.is_empty(), "a stop in the middle leaves nothing over");
}

#[test]
fn a_receipt_of_a_removed_queue_is_settled_already_in_one_of_the_same_name_and_keeps_no_other_from_it() {
    let mut bench = Bench::with_queue(QueueSettingsPatch::default());
    bench.publish_ids("jobs", [1]);
    let old = bench.receipt("jobs");
    bench.apply(Command::DeleteQueue { name: name("jobs"), force: true }).unwrap();
    bench.put_queue("jobs", QueueSettingsPatch::default());
    bench.publish_ids("jobs", [2]);
    let receipts = vec![old, bench.receipt("jobs")];
    let reply = bench.apply(Command::Ack { queue: name("jobs"), receipts: receipts.clone() });
    let Ok(Reply::Settled(settled)) = reply else { panic!("{reply:?}") };
    let statuses: Vec<_> = settled.iter().map(|it| it.status).collect();
    assert_eq!(statuses, [SettleStatus::AlreadySettled, SettleStatus::Done]);
    // One of a queue that is there is a mistake, and so is one that no queue ever gave.
    bench.put_queue("others", QueueSettingsPatch::default());
    let made_up = Receipt { queue: QueueId(999), ..old };
    for (queue, receipt) in [("others", receipts[1]), ("jobs", made_up)] {
        let ack = Command::Ack { queue: name(queue), receipts: vec![receipt] };
        assert!(matches!(bench.apply(ack), Err(Refusal::ForeignReceipt { index: 0 })), "{queue}");
    }
}

#[test]
fn purge_drops_what_is_ready_or_delayed_and_leaves_the_rest() {
    let mut bench = Bench::with_queue(QueueSettingsPatch::default());
    bench.publish_ids("jobs", [1, 2, 3, 4]);
    let [dead, _leased] = [bench.receipt("jobs"), bench.receipt("jobs")];
    bench.kill(dead);
    let delayed = bench.receipt("jobs");
    bench.fail(delayed);
    assert_eq!(bench.states("jobs"), [1, 1, 1, 1]);
    let reply = bench.apply(Command::PurgeQueue { name: name("jobs"), before: None, limit: None }).unwrap();
    assert!(matches!(reply, Reply::Removed { count: 2 }));
    assert_eq!(bench.states("jobs"), [0, 1, 0, 1]);
    assert_eq!(bench.counters("jobs").purged, 2);
}

#[test]
fn a_purge_takes_so_many_first_in_line_first_and_none_that_came_later() {
    let mut bench = Bench::with_queue(QueueSettingsPatch::default());
    bench.publish_ids("jobs", 1..=5);
    let before = Some(Sequence(bench.core.high_water().next_sequence));
    bench.publish_ids("jobs", [6]);
    let mut purge = |limit| {
        let purge = Command::PurgeQueue { name: name("jobs"), before, limit };
        let Ok(Reply::Removed { count }) = bench.apply(purge) else { panic!() };
        (count, bench.states("jobs")[0])
    };
    assert_eq!([purge(Some(2)), purge(Some(0)), purge(None)], [(2, 4), (0, 4), (3, 1)]);
    assert_eq!(bench.receive_ids("jobs", 9), [6]);
}

#[test]
fn one_waiting_message_is_removed_by_its_id_but_not_a_leased_one() {
    let mut bench = Bench::with_queue(QueueSettingsPatch::default());
    bench.publish_ids("jobs", [1, 2]);
    bench.receipt("jobs");
    let remove = |id| Command::RemoveMessage { queue: name("jobs"), message: crate::bench::selector(id) };
    assert!(matches!(bench.apply(remove(1)), Err(Refusal::MessageLeased)));
    assert!(bench.apply(remove(2)).is_ok());
    assert!(matches!(bench.apply(remove(2)), Err(Refusal::MessageNotFound)));
    assert_eq!(bench.states("jobs"), [0, 1, 0, 0]);
}
