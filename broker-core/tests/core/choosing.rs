//! What a replay takes by a filter: put to it in slices, while other things happen.

use std::convert::Infallible;

use broker_core::{
    choice::Chosen,
    command::{Command, Span},
    filter::Attributes,
    identity::Sequence,
};

use crate::{
    bench::{Bench, name, seconds},
    filtering::{filtered, of_type},
    replaying::{consume, publish, retaining},
};

#[test]
fn the_filter_says_which_retained_messages_are_to_be_chosen() {
    let mut bench = retaining();
    publish(&mut bench, &[1, 2, 3]);
    consume(&mut bench);
    let (topic, queue) = (name("orders"), name("jobs"));
    let replay = || Command::Replay {
        topic: topic.clone(),
        queue: queue.clone(),
        span: Span::default(),
        chosen: Chosen::All,
    };
    assert_eq!(bench.core.to_be_chosen(&replay(), 9), None);
    bench.try_subscribe("orders", "jobs", filtered(Some(of_type("placed")))).unwrap();
    let mut command = replay();
    choose(&bench, &mut command, 9, 2);
    bench.apply(command).unwrap();
    assert_eq!(consume(&mut bench), [2]);
}

/// Puts so many candidates to the filter, as if only that one were of the type placed; how many there were.
fn choose(bench: &Bench, command: &mut Command, limit: usize, placed: u64) -> usize {
    let Some(candidates) = bench.core.to_be_chosen(command, limit) else { return 0 };
    let count = candidates.len();
    let kind = |sequence| if sequence == Sequence(placed) { "placed" } else { "cancelled" };
    let attributes = |sequence| Ok(Some(Attributes::from_iter([("type", kind(sequence))])));
    let chosen: Result<(), Infallible> = candidates.choose(command, attributes);
    chosen.unwrap();
    count
}

/// A replay of all into `jobs`, whose subscription takes what is of the type placed, not yet chosen for.
fn filtered_replay(bench: &mut Bench) -> Command {
    bench.try_subscribe("orders", "jobs", filtered(Some(of_type("placed")))).unwrap();
    let (topic, queue) = (name("orders"), name("jobs"));
    Command::Replay { topic, queue, span: Span::default(), chosen: Chosen::All }
}

#[test]
fn candidates_come_in_slices_and_what_is_published_meanwhile_comes_last() {
    let mut bench = retaining();
    publish(&mut bench, &[1, 2, 3]);
    let mut command = filtered_replay(&mut bench);
    assert_eq!(choose(&bench, &mut command, 2, 2), 2);
    publish(&mut bench, &[4]);
    consume(&mut bench);
    assert_eq!(choose(&bench, &mut command, 9, 4), 2);
    assert_eq!(bench.core.to_be_chosen(&command, 9), None);
    bench.apply(command).unwrap();
    assert_eq!(consume(&mut bench), [2, 4]);
}

#[test]
fn a_filter_that_changes_meanwhile_is_chosen_by_from_the_beginning() {
    let mut bench = retaining();
    publish(&mut bench, &[1, 2]);
    consume(&mut bench);
    let mut command = filtered_replay(&mut bench);
    assert_eq!(choose(&bench, &mut command, 9, 1), 2);
    bench.try_subscribe("orders", "jobs", filtered(Some(of_type("cancelled")))).unwrap();
    assert_eq!(choose(&bench, &mut command, 9, 1), 2);
    bench.apply(command).unwrap();
    assert_eq!(consume(&mut bench), [2]);
}

#[test]
fn a_filter_that_is_taken_away_meanwhile_leaves_nothing_to_be_chosen() {
    let mut bench = retaining();
    publish(&mut bench, &[1, 2]);
    consume(&mut bench);
    let mut command = filtered_replay(&mut bench);
    choose(&bench, &mut command, 9, 1);
    bench.try_subscribe("orders", "jobs", filtered(None)).unwrap();
    assert_eq!(bench.core.to_be_chosen(&command, 9), None);
    bench.apply(command).unwrap();
    assert_eq!(consume(&mut bench), [1, 2]);
}

#[test]
fn what_is_retained_no_longer_when_the_replay_comes_is_passed_over() {
    let mut bench = retaining();
    publish(&mut bench, &[1, 2]);
    consume(&mut bench);
    let mut command = filtered_replay(&mut bench);
    choose(&bench, &mut command, 9, 2);
    bench.wait(seconds(60));
    publish(&mut bench, &[3]);
    choose(&bench, &mut command, 9, 3);
    consume(&mut bench);
    bench.apply(command).unwrap();
    assert_eq!(consume(&mut bench), [3]);
}
