//! Dead letters: listed, redriven, discarded.

use broker_core::{
    command::{Command, DeadLetters, NewMessage, When},
    identity::Sequence,
    reply::{Refusal, Reply, SettleStatus},
    settings::{OnFull, Ordering, Overflow, QueueSettingsPatch},
};

use crate::bench::{Bench, message, name, seconds, selector};

/// A queue with so many dead letters, of the ids from 1, a second apart.
fn with_dead(count: u64, settings: QueueSettingsPatch) -> Bench {
    let mut bench = Bench::with_queue(settings);
    for id in 1..=count {
        bench.publish("jobs", message(id));
        let receipt = bench.receipt("jobs");
        bench.kill(receipt);
        bench.wait(seconds(1));
    }
    bench
}

fn listed(bench: &Bench) -> Vec<u64> {
    bench.core.dead_letters(&name("jobs"), None, 100).iter().map(|it| it.sequence.0).collect()
}

#[test]
fn dead_letters_are_listed_newest_first_and_page_by_page() {
    let bench = with_dead(3, QueueSettingsPatch::default());
    assert_eq!(listed(&bench), [3, 2, 1]);
    let first = bench.core.dead_letters(&name("jobs"), None, 2);
    let rest = bench.core.dead_letters(&name("jobs"), Some((first[1].since, first[1].sequence)), 2);
    assert_eq!(rest.iter().map(|it| it.sequence).collect::<Vec<_>>(), [Sequence(1)]);
}

#[test]
fn a_redriven_message_starts_again_with_its_history_and_redrive_count() {
    let mut bench = with_dead(1, QueueSettingsPatch::default());
    let redriven = bench.redrive("jobs", DeadLetters::All, None);
    assert_eq!((redriven.sequences, redriven.stopped_full), (vec![Sequence(1)], false));
    let delivery = bench.receive_one("jobs");
    assert_eq!((delivery.delivery_count, delivery.redrive_count, delivery.failed_before), (1, 1, true));
    bench.kill(delivery.receipt.unwrap());
    let history = bench.disk.failures.values().next().unwrap();
    assert_eq!(history.iter().map(|it| (it.number, it.delivery_count)).collect::<Vec<_>>(), [(1, 1), (2, 1)]);
    let counters = bench.counters("jobs");
    assert_eq!((counters.redriven_in, counters.redriven_out, counters.dead_lettered), (1, 1, 2));
}

#[test]
fn redriving_by_ids_goes_oldest_first_and_tells_what_was_not_found() {
    let mut bench = with_dead(3, QueueSettingsPatch::default());
    let ids = DeadLetters::Ids([3, 9, 1].map(selector).to_vec());
    let redriven = bench.redrive("jobs", ids, None);
    assert_eq!((redriven.sequences, redriven.not_found), (vec![Sequence(1), Sequence(3)], vec![1]));
    assert_eq!(bench.states("jobs"), [2, 0, 0, 1]);
}

#[test]
fn a_redrive_keeps_to_its_limit() {
    let mut bench = with_dead(3, QueueSettingsPatch::default());
    let (queue, which) = (name("jobs"), DeadLetters::All);
    bench.apply(Command::Redrive { queue, which, to: None, limit: Some(2) }).unwrap();
    assert_eq!(listed(&bench), [3]);
}

#[test]
fn a_redrive_stops_when_the_queue_is_full() {
    let mut bench = with_dead(3, QueueSettingsPatch { max_messages: Some(2), ..Default::default() });
    let redriven = bench.redrive("jobs", DeadLetters::All, None);
    assert_eq!((redriven.sequences.len(), redriven.stopped_full), (2, true));
    assert_eq!(bench.states("jobs"), [2, 0, 0, 1]);
}

#[test]
fn deduplication_never_swallows_a_redrive() {
    let mut bench = with_dead(1, QueueSettingsPatch::default());
    bench.redrive("jobs", DeadLetters::Ids(vec![selector(1)]), None);
    assert_eq!(bench.receive_ids("jobs", 1), [1]);
}

#[test]
fn a_redrive_to_another_queue_takes_the_history_along() {
    let mut bench = with_dead(1, QueueSettingsPatch::default());
    bench.put_queue("other", QueueSettingsPatch::default());
    bench.redrive("jobs", DeadLetters::All, Some("other"));
    assert_eq!((bench.states("jobs"), bench.states("other")), ([0; 4], [1, 0, 0, 0]));
    assert_eq!((bench.counters("jobs").redriven_out, bench.counters("other").redriven_in), (1, 1));
    bench.restart();
    let delivery = bench.receive_one("other");
    assert_eq!((delivery.delivery_count, delivery.redrive_count, delivery.failed_before), (1, 1, true));
    let ((_, queue), history) = bench.disk.failures.iter().next().unwrap();
    assert_eq!((*queue, history.len()), (bench.core.queue(&name("other")).unwrap().id, 1));
}

#[test]
fn a_queue_never_holds_a_message_twice() {
    let mut bench = Bench::with_queue(QueueSettingsPatch::default());
    bench.put_queue("other", QueueSettingsPatch::default());
    bench.put_topic("orders");
    bench.subscribe("orders", "jobs", OnFull::Reject);
    bench.subscribe("orders", "other", OnFull::Reject);
    bench.try_publish(broker_core::command::Destination::Topic(name("orders")), vec![message(1)]).unwrap();
    let receipt = bench.receipt("jobs");
    bench.kill(receipt);
    let redriven = bench.redrive("jobs", DeadLetters::All, Some("other"));
    assert_eq!((redriven.sequences.len(), redriven.held), (0, vec![Sequence(1)]));
    assert_eq!((bench.states("jobs"), bench.states("other")), ([0, 0, 0, 1], [1, 0, 0, 0]));
}

#[test]
fn a_redrive_starts_the_ttl_again_each_time() {
    let mut bench = with_dead(1, QueueSettingsPatch { ttl: Some(Some(seconds(60))), ..Default::default() });
    for _ in 0..2 {
        bench.wait(seconds(600));
        bench.redrive("jobs", DeadLetters::All, None);
        bench.restart();
        bench.wait(seconds(59));
        let receipt = bench.receipt("jobs");
        bench.kill(receipt);
    }
    bench.redrive("jobs", DeadLetters::All, None);
    bench.wait(seconds(60));
    assert_eq!(bench.counters("jobs").expired, 1);
}

#[test]
fn dead_letters_are_discarded_by_id_or_all_together() {
    let mut bench = with_dead(3, QueueSettingsPatch::default());
    let discard = |which| Command::DiscardDeadLetters { queue: name("jobs"), which };
    bench.apply(discard(DeadLetters::Ids(vec![selector(2)]))).unwrap();
    assert_eq!(listed(&bench), [3, 1]);
    let again = bench.apply(discard(DeadLetters::Ids(vec![selector(2)])));
    assert!(matches!(again, Err(Refusal::DeadLetterNotFound)));
    let all = bench.apply(discard(DeadLetters::All)).unwrap();
    assert!(matches!(all, Reply::Removed { count: 2 }));
    assert_eq!(bench.counters("jobs").discarded, 3);
    assert!(bench.disk.messages.is_empty() && bench.disk.failures.is_empty());
}

#[test]
fn old_dead_letters_are_discarded_by_their_age() {
    let settings = QueueSettingsPatch { dead_letter_retention: Some(seconds(10)), ..Default::default() };
    let mut bench = with_dead(2, settings);
    bench.wait(seconds(8));
    assert_eq!(listed(&bench), [2]);
    bench.wait(seconds(1));
    assert_eq!((listed(&bench).len(), bench.counters("jobs").discarded), (0, 2));
}

#[test]
fn the_oldest_dead_letter_beyond_the_most_is_discarded() {
    let bench = with_dead(5, QueueSettingsPatch { max_dead_letters: Some(2), ..Default::default() });
    assert_eq!((listed(&bench), bench.counters("jobs").discarded), (vec![5, 4], 3));
    let mut bench = with_dead(5, QueueSettingsPatch::default());
    bench.put_queue("jobs", QueueSettingsPatch { max_dead_letters: Some(1), ..Default::default() });
    bench.wait(seconds(0));
    assert_eq!(listed(&bench), [5]);
}

#[test]
fn a_message_that_died_before_its_delay_was_over_waits_for_it_when_it_is_redriven() {
    let settings = QueueSettingsPatch {
        max_messages: Some(1),
        overflow: Some(Overflow::DeadLetterOldest),
        ordering: Some(Ordering::Fifo),
        ..Default::default()
    };
    let mut bench = Bench::with_queue(settings);
    let scheduled = NewMessage {
        available: Some(When::After(seconds(60))),
        expires: Some(When::After(seconds(10))),
        ..message(1)
    };
    bench.publish("jobs", scheduled);
    bench.publish("jobs", message(2));
    bench.put_queue("jobs", QueueSettingsPatch { max_messages: Some(9), ..Default::default() });
    bench.redrive("jobs", DeadLetters::All, None);
    bench.publish("jobs", message(3));
    bench.restart();
    bench.wait(seconds(59));
    assert_eq!(bench.states("jobs"), [2, 0, 1, 0]);
    bench.wait(seconds(1));
    let places = bench.core.browse(&name("jobs"), None, None, 10);
    assert_eq!(places.iter().map(|it| it.sequence.0).collect::<Vec<_>>(), [2, 3, 1]);
    bench.wait(seconds(10));
    assert_eq!(bench.counters("jobs").expired, 1);
}

#[test]
fn what_is_damaged_becomes_a_dead_letter_without_a_delivery_and_the_next_of_its_key_goes_on() {
    let ordering = Some(Ordering::Key);
    let mut bench = Bench::with_queue(QueueSettingsPatch { ordering, ..Default::default() });
    for id in 1..=2 {
        bench.publish("jobs", crate::bench::keyed(id, "k"));
    }
    assert_eq!(bench.kill_damaged("jobs", &[1, 9]), 1);
    assert_eq!(bench.counters("jobs").delivered, 0);
    let history = bench.disk.failures.values().next().unwrap();
    assert_eq!((history[0].delivered_at, history[0].reason.as_deref()), (None, Some("damaged")));
    assert_eq!(bench.receive_ids("jobs", 9), [2]);
}

#[test]
fn a_lease_ends_when_what_it_holds_is_damaged() {
    let mut bench = Bench::with_queue(QueueSettingsPatch::default());
    bench.publish("jobs", message(1));
    let receipt = bench.receipt("jobs");
    assert_eq!(bench.kill_damaged("jobs", &[1]), 1);
    assert_eq!(bench.kill_damaged("jobs", &[1]), 0, "it is dead already");
    assert_eq!(bench.ack(receipt), SettleStatus::LeaseLost);
    bench.restart();
    assert_eq!(bench.states("jobs"), [0, 0, 0, 1]);
}
