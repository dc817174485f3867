//! Many seeds, on all cores, and what came of them.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    invariants::Violation,
    layer::{LayerKind, Tally},
    operation::Turn,
    plants::Bug,
    play::play,
    shrink::shrink,
    workload::Workload,
};

/// How many steps a seed is played for before the next has its turn.
const STEPS_A_SEED: u64 = 4000;
/// How often a shorter script is tried.
const TRIES: usize = 4000;

/// A seed that failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// The layer.
    pub layer: LayerKind,
    /// After how many steps of the seed.
    pub steps: u64,
    /// What did not hold in the short script.
    pub violation: Violation,
    /// The short script.
    pub script: Vec<Turn>,
}

/// What came of a campaign.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How many steps were done.
    pub steps: u64,
    /// What the brokers met.
    pub tally: Tally,
    /// How long it took.
    pub took: Duration,
    /// The first failure, if any.
    pub failure: Option<Failure>,
}

/// Until when seeds are played.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// The first seed.
    pub seed: u64,
    /// How many steps.
    pub steps: u64,
    /// When it ends at the latest.
    pub until: Option<Instant>,
    /// On how many threads.
    pub threads: usize,
}

/// Plays seeds, one after the other, independent ones on each thread.
#[must_use]
pub fn run(layer: LayerKind, bug: Option<Bug>, extent: Extent) -> Outcome {
    let started = Instant::now();
    let (next, done) = (AtomicU64::new(extent.seed), AtomicU64::new(0));
    let failed = AtomicBool::new(false);
    let tally = Mutex::new(Tally::default());
    let first: Mutex<Option<(u64, u64)>> = Mutex::new(None);
    let work = || {
        while done.load(Ordering::Relaxed) < extent.steps
            && !failed.load(Ordering::Relaxed)
            && extent.until.is_none_or(|until| Instant::now() < until)
        {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            let left = extent.steps.saturating_sub(done.load(Ordering::Relaxed));
            let played = play(layer, bug, Workload::new(seed), STEPS_A_SEED.min(left));
            done.fetch_add(played.steps, Ordering::Relaxed);
            *tally.lock().expect("nothing panics under this lock") += played.tally;
            if played.violation.is_some() {
                failed.store(true, Ordering::Relaxed);
                let mut first = first.lock().expect("nothing panics under this lock");
                *first = Some(first.map_or((seed, played.steps), |before| before.min((seed, played.steps))));
            }
        }
    };
    thread::scope(|scope| (0..extent.threads).for_each(|_| drop(scope.spawn(work))));
    let first = first.into_inner().expect("nothing panics under this lock");
    let tally = tally.into_inner().expect("nothing panics under this lock");
    let (steps, took) = (done.into_inner(), started.elapsed());
    Outcome { steps, tally, took, failure: first.map(|(seed, steps)| explain(layer, bug, seed, steps)) }
}

/// Plays a seed again and shrinks its script.
fn explain(layer: LayerKind, bug: Option<Bug>, seed: u64, steps: u64) -> Failure {
    let played = play(layer, bug, Workload::new(seed), steps);
    let script: Vec<Turn> = Workload::new(seed).take(played.turns).collect();
    let script = shrink(layer, bug, script, TRIES);
    let again = play(layer, bug, script.iter().cloned(), u64::MAX);
    let violation = again.violation.or(played.violation);
    let violation = violation.unwrap_or_else(|| Violation("it does not fail again".to_owned()));
    Failure { seed, layer, steps, violation, script }
}
