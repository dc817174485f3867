//! A short run of both layers, and what the long ones stand on: a seed replays, a failure is found and made
//! short. Millions of steps are a command's: `cargo run --release -p simulation`.

use simulation::{
    layer::LayerKind,
    operation::{Call, Ending, Failure, QueueChange, Turn},
    plants::Bug,
    play::{Played, play},
    shrink::shrink,
    workload::Workload,
};

/// Plays seeds of 2,000 steps each.
fn play_seeds(layer: LayerKind, seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let Played { steps, violation, .. } = play(layer, None, Workload::new(seed), 2000);
        assert!(violation.is_none(), "seed {seed} after {steps} steps: {violation:?}");
    }
}

/// The seeds, of a hundred, that find a planted bug.
fn finding(bug: Bug, layer: LayerKind) -> impl Iterator<Item = (u64, Played)> {
    let play = move |seed| (seed, play(layer, Some(bug), Workload::new(seed), 2000));
    (1..100).map(play).filter(|(_, played)| played.violation.is_some())
}

/// Plays seeds with a bug planted until it is found.
fn find(bug: Bug, layer: LayerKind) -> (u64, Played) {
    finding(bug, layer).next().unwrap_or_else(|| panic!("{bug} is not found"))
}

#[test]
fn the_core_does_what_the_model_says_whatever_comes() {
    play_seeds(LayerKind::Core, 1000..1016);
}

#[test]
fn the_engine_over_the_real_store_does_what_the_model_says_whatever_the_disk_does() {
    play_seeds(LayerKind::Store, 1000..1005);
}

/// A sync fails, the broker is started again and shows what it finds in the log; then the power fails.
#[test]
fn what_is_shown_after_a_failed_sync_is_on_disk() {
    let make = Call::PutQueue { queue: 0, change: QueueChange::Nothing };
    let fails = |after| Turn {
        wait: 0,
        calls: vec![Call::PutQueue { queue: 1, change: QueueChange::Nothing }],
        ending: Ending::IoFails { after, how: Failure::Write, clock: 0 },
        dice: 1,
    };
    for after in 0..12 {
        let made = Turn { wait: 0, calls: vec![make.clone()], ending: Ending::Commit, dice: 1 };
        let played = play(LayerKind::Store, None, [made, fails(after)].into_iter(), u64::MAX);
        assert_eq!(played.violation, None, "the failure comes after {after} writes");
    }
}

#[test]
fn a_seed_replays_exactly() {
    for (bug, layer) in
        [(Bug::LeasesForgotten, LayerKind::Core), (Bug::AnsweredThoughFailed, LayerKind::Store)]
    {
        let (seed, first) = find(bug, layer);
        assert_eq!(play(layer, Some(bug), Workload::new(seed), 2000), first);
    }
}

/// Some can't be shortened all the way: a turn settles the receipts of certain places, so that what was received
/// before has to stay. Hence the shortest of a few.
#[test]
fn a_failing_script_is_shrunk_to_one_that_still_fails_and_reads_as_operations() {
    let (bug, layer) = (Bug::CountForgotten, LayerKind::Core);
    let shrunk = finding(bug, layer).take(5).map(|(seed, played)| {
        let script: Vec<Turn> = Workload::new(seed).take(played.turns).collect();
        let short = shrink(layer, Some(bug), script, 5000);
        assert!(play(layer, Some(bug), short.iter().cloned(), u64::MAX).violation.is_some(), "seed {seed}");
        assert!(play(layer, None, short.iter().cloned(), u64::MAX).violation.is_none(), "seed {seed}");
        short
    });
    let short = shrunk.min_by_key(Vec::len).expect("some seed finds it");
    let text: String = short.iter().map(Turn::to_string).collect();
    assert!(short.len() <= 6, "{} turns are left: {text}", short.len());
    // A delivery fails by a nack, or as its lease runs out.
    let fails = text.contains("nack") || text.contains("  wait ");
    assert!(text.contains("publish to ") && text.contains("receive from queue-") && fails, "{text}");
}

#[test]
fn a_script_that_does_not_fail_is_left_as_it_is() {
    let script: Vec<Turn> = Workload::new(7).take(5).collect();
    assert_eq!(shrink(LayerKind::Core, None, script.clone(), 100), script);
}

#[test]
fn each_planted_bug_is_found() {
    for (bug, layer, _) in Bug::ALL {
        find(bug, layer);
    }
}
