//! Redrives so many a second.

use broker_core::{
    command::{Command, DeadLetters, NewMessage, When},
    identity::RedriveId,
    reply::{Refusal, Reply},
    settings::{QueueSettingsPatch, RedriveLimits},
    view::RedriveView,
};

use crate::bench::{Bench, message, name, seconds, selector};

/// A queue `jobs` with so many dead letters, by their ids.
fn with_dead(count: u64) -> Bench {
    let mut bench = Bench::with_queue(QueueSettingsPatch::default());
    bench.publish_ids("jobs", 1..=count);
    for _ in 0..count {
        let receipt = bench.receipt("jobs");
        bench.kill(receipt);
    }
    bench
}

fn start(bench: &mut Bench, to: Option<&str>, per_second: u32) -> RedriveId {
    let (queue, which, to) = (name("jobs"), DeadLetters::All, to.map(name));
    let start = Command::StartRedrive { queue, which, to, limit: None, per_second };
    match bench.apply(start).unwrap() {
        Reply::RedriveStarted { redrive, .. } => redrive,
        other => panic!("{other:?}"),
    }
}

/// Starts one that is refused, and gives the limit that stands against it.
fn refused(bench: &mut Bench) -> usize {
    let (queue, which) = (name("jobs"), DeadLetters::All);
    let start = Command::StartRedrive { queue, which, to: None, limit: None, per_second: 1 };
    match bench.apply(start) {
        Err(Refusal::TooManyRedrives { limit, .. }) => limit,
        other => panic!("{other:?}"),
    }
}

fn seen(bench: &Bench, id: RedriveId) -> RedriveView {
    bench.core.paced_redrive(id).unwrap()
}

/// How many are ready and dead.
fn ready_and_dead(bench: &Bench) -> (u64, u64) {
    let [ready, _, _, dead] = bench.states("jobs");
    (ready, dead)
}

#[test]
fn dead_letters_are_redriven_at_the_pace_oldest_first() {
    let mut bench = with_dead(5);
    let id = start(&mut bench, None, 2);
    bench.wait(seconds(0));
    assert_eq!(ready_and_dead(&bench), (1, 4));
    bench.wait(seconds(1));
    assert_eq!(ready_and_dead(&bench), (3, 2));
    assert_eq!(bench.receive_ids("jobs", 9), [1, 2, 3]);
    let RedriveView { redriven, remaining, ended_at, .. } = seen(&bench, id);
    assert_eq!((redriven, remaining, ended_at), (3, 2, None));
    bench.wait(seconds(1));
    assert_eq!(bench.states("jobs")[3], 0);
    assert!(seen(&bench, id).ended_at.is_some());
}

#[test]
fn a_pace_of_many_in_a_millisecond_is_kept() {
    let mut bench = with_dead(500);
    start(&mut bench, None, 5000);
    bench.wait(std::time::Duration::from_millis(49));
    assert_eq!(ready_and_dead(&bench), (246, 254));
}

#[test]
fn a_paced_redrive_goes_on_after_a_restart_without_making_up_for_the_stop() {
    let mut bench = with_dead(10);
    let id = start(&mut bench, None, 1);
    bench.wait(seconds(2));
    assert_eq!(seen(&bench, id).redriven, 3);
    bench.now = bench.now.plus(seconds(100));
    bench.restart();
    assert_eq!(seen(&bench, id).redriven, 4);
    bench.wait(seconds(6));
    assert_eq!((ready_and_dead(&bench), seen(&bench, id).remaining), ((10, 0), 0));
    bench.restart();
    assert!(seen(&bench, id).ended_at.is_some());
}

#[test]
fn one_that_was_discarded_or_redriven_meanwhile_is_passed_over() {
    let mut bench = with_dead(4);
    let id = start(&mut bench, None, 1);
    bench.wait(seconds(0));
    let which = || DeadLetters::Ids(vec![selector(2)]);
    bench.apply(Command::DiscardDeadLetters { queue: name("jobs"), which: which() }).unwrap();
    bench.redrive("jobs", DeadLetters::Ids(vec![selector(3)]), None);
    bench.wait(seconds(1));
    let RedriveView { redriven, remaining, .. } = seen(&bench, id);
    assert_eq!((redriven, remaining, ready_and_dead(&bench)), (2, 0, (3, 0)));
}

#[test]
fn a_paced_redrive_waits_for_room_and_goes_on() {
    let mut bench = with_dead(3);
    bench.put_queue("narrow", QueueSettingsPatch { max_messages: Some(1), ..Default::default() });
    let id = start(&mut bench, Some("narrow"), 10);
    bench.wait(seconds(5));
    let RedriveView { redriven, remaining, waits_for_room, .. } = seen(&bench, id);
    assert_eq!((redriven, remaining, waits_for_room), (1, 2, true));
    let receipt = bench.receipt("narrow");
    bench.ack(receipt);
    bench.wait(seconds(1));
    assert_eq!((seen(&bench, id).redriven, bench.states("narrow")[0]), (2, 1));
}

#[test]
fn a_paced_redrive_that_is_stopped_does_no_more_and_is_forgotten() {
    let mut bench = with_dead(3);
    let id = start(&mut bench, None, 1);
    bench.wait(seconds(0));
    let stopped = bench.apply(Command::StopRedrive { redrive: id }).unwrap();
    assert!(matches!(stopped, Reply::Removed { count: 1 }));
    bench.wait(seconds(9));
    bench.restart();
    assert_eq!((ready_and_dead(&bench), bench.core.paced_redrive(id)), ((1, 2), None));
    let again = bench.apply(Command::StopRedrive { redrive: id });
    assert_eq!(again.unwrap_err(), Refusal::RedriveNotFound(id));
}

#[test]
fn a_paced_redrive_ends_with_its_queue_though_another_gets_its_name() {
    for gone in ["jobs", "other"] {
        let mut bench = with_dead(3);
        bench.put_queue("other", QueueSettingsPatch::default());
        let id = start(&mut bench, Some("other"), 1);
        bench.wait(seconds(0));
        bench.apply(Command::DeleteQueue { name: name(gone), force: true }).unwrap();
        bench.put_queue(gone, QueueSettingsPatch::default());
        let RedriveView { redriven, remaining, ended_at, .. } = seen(&bench, id);
        assert_eq!((redriven, remaining, ended_at.is_some()), (1, 2, true), "{gone}");
        bench.restart();
        bench.wait(seconds(9));
        assert_eq!(bench.states(gone), [0; 4], "{gone}");
    }
}

#[test]
fn a_pace_out_of_its_range_and_unknown_queues_are_refused() {
    let mut bench = with_dead(1);
    let start = |to: Option<&str>, per_second| Command::StartRedrive {
        queue: name("jobs"),
        which: DeadLetters::All,
        to: to.map(name),
        limit: None,
        per_second,
    };
    for pace in [0, 100_001] {
        let refused = bench.apply(start(None, pace)).unwrap_err();
        assert!(matches!(refused, Refusal::InvalidSetting { field: "per_second", .. }));
    }
    assert!(matches!(bench.apply(start(Some("none"), 1)), Err(Refusal::QueueNotFound(_))));
}

#[test]
fn so_many_run_at_a_time_and_more_are_refused_until_one_ends_or_is_stopped() {
    let mut bench = with_dead(4);
    bench.core.limit_redrives(RedriveLimits { running: 2, dead_letters: usize::MAX });
    let (first, second) = (start(&mut bench, None, 1), start(&mut bench, None, 1));
    assert_eq!(refused(&mut bench), 2);
    bench.apply(Command::StopRedrive { redrive: first }).unwrap();
    let third = start(&mut bench, None, 1);
    assert_eq!(refused(&mut bench), 2);
    bench.restart();
    assert_eq!((seen(&bench, second).ended_at, seen(&bench, third).ended_at), (None, None));
    bench.core.limit_redrives(RedriveLimits { running: 2, dead_letters: usize::MAX });
    assert_eq!(refused(&mut bench), 2);
    bench.wait(seconds(9));
    start(&mut bench, None, 1);
}

#[test]
fn those_that_run_have_so_many_dead_letters_before_them_and_those_that_ended_none() {
    let mut bench = with_dead(3);
    bench.core.limit_redrives(RedriveLimits { running: usize::MAX, dead_letters: 5 });
    start(&mut bench, None, 1);
    assert_eq!(refused(&mut bench), 5);
    let (queue, which) = (name("jobs"), DeadLetters::All);
    bench.apply(Command::StartRedrive { queue, which, to: None, limit: Some(2), per_second: 1 }).unwrap();
    bench.wait(seconds(9));
    assert_eq!(bench.states("jobs")[3], 0);
    for _ in 0..3 {
        let receipt = bench.receipt("jobs");
        bench.kill(receipt);
    }
    start(&mut bench, None, 1);
}

#[test]
fn one_that_was_stopped_by_the_removal_of_its_queue_still_says_how_many_were_left() {
    let mut bench = with_dead(3);
    let id = start(&mut bench, None, 1);
    bench.wait(seconds(0));
    bench.apply(Command::DeleteQueue { name: name("jobs"), force: true }).unwrap();
    bench.wait(seconds(1));
    for _ in 0..2 {
        let RedriveView { redriven, remaining, ended_at, .. } = seen(&bench, id);
        assert_eq!((redriven, remaining, ended_at.is_some()), (1, 2, true));
        bench.restart();
    }
}

#[test]
fn a_limit_takes_the_oldest_and_nothing_to_redrive_ends_at_once() {
    let mut bench = with_dead(3);
    let limited = |limit| Command::StartRedrive {
        queue: name("jobs"),
        which: DeadLetters::All,
        to: None,
        limit: Some(limit),
        per_second: 100,
    };
    let Ok(Reply::RedriveStarted { redrive, count: 0, .. }) = bench.apply(limited(0)) else { panic!() };
    assert!(seen(&bench, redrive).ended_at.is_some());
    bench.apply(limited(2)).unwrap();
    bench.wait(seconds(1));
    assert_eq!(bench.receive_ids("jobs", 9), [1, 2]);
}

#[test]
fn a_redrive_finds_the_room_that_came_free_by_the_same_time() {
    let mut bench = with_dead(1);
    bench.put_queue("jobs", QueueSettingsPatch { max_messages: Some(1), ..Default::default() });
    bench.publish("jobs", NewMessage { expires: Some(When::After(seconds(5))), ..message(2) });
    let id = start(&mut bench, None, 1);
    bench.wait(seconds(0));
    assert!(seen(&bench, id).waits_for_room);
    // The engine was busy: the redrive looks again, and the message expires, in one tick.
    bench.now = bench.now.plus(seconds(5));
    bench.wait(seconds(0));
    assert_eq!((bench.counters("jobs").expired, seen(&bench, id).redriven), (1, 1));
}
