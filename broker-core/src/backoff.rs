//! How long a nacked message waits before it is ready again.

use std::time::Duration;

use crate::{number_map::mix, settings::Backoff};

/// A small generator of numbers for the jitter; the same seed gives the same numbers.
#[derive(Clone, Debug)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number, from -1 to 1.
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let part = (mix(self.0) >> 11) as f64 / (1_u64 << 53) as f64;
        part * 2.0 - 1.0
    }
}

impl Backoff {
    /// The pause after the `failure`-th failed delivery (1 for the first), whole milliseconds. `spread`,
    /// from -1 to 1, says where in the range of the jitter it falls, which ends at the longest pause.
    pub(crate) fn pause(&self, failure: u32, spread: f64) -> Duration {
        if self.initial.is_zero() {
            return Duration::ZERO;
        }
        let growth = self.factor.powi(i32::try_from(failure.saturating_sub(1)).unwrap_or(i32::MAX));
        let longest = self.max.as_secs_f64();
        let pause = (self.initial.as_secs_f64() * growth).min(longest);
        let (least, most) = (pause * (1.0 - self.jitter), (pause * (1.0 + self.jitter)).min(longest));
        let place = f64::midpoint(spread, 1.0);
        Duration::from_millis(((least + (most - least) * place) * 1000.0).round() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXACT: Backoff =
        Backoff { initial: Duration::from_secs(1), factor: 2.0, max: Duration::from_secs(60), jitter: 0.0 };

    #[test]
    fn each_failure_doubles_the_pause_up_to_the_longest() {
        let seconds: Vec<_> = (1..=8).map(|n| EXACT.pause(n, 1.0).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(EXACT.pause(u32::MAX, 0.0), Duration::from_secs(60));
    }

    #[test]
    fn jitter_spreads_the_pause_to_both_sides_by_its_part_and_no_further() {
        let spread = Backoff { jitter: 0.1, ..EXACT };
        let mut jitter = Jitter::new(7);
        let pauses: Vec<_> = (0..1000).map(|_| spread.pause(1, jitter.next()).as_millis()).collect();
        assert!(pauses.iter().all(|ms| (900..=1100).contains(ms)));
        assert!(pauses.iter().any(|ms| *ms < 920) && pauses.iter().any(|ms| *ms > 1080));
    }

    #[test]
    fn no_jitter_makes_a_pause_longer_than_the_longest_and_it_still_spreads() {
        let spread = Backoff { jitter: 0.5, ..EXACT };
        let mut jitter = Jitter::new(7);
        let pauses: Vec<_> = (0..1000).map(|_| spread.pause(9, jitter.next()).as_millis()).collect();
        assert!(pauses.iter().all(|ms| (30_000..=60_000).contains(ms)));
        assert!(pauses.iter().any(|ms| *ms < 31_000) && pauses.iter().any(|ms| *ms > 59_000));
        assert!(pauses.iter().filter(|ms| **ms == 60_000).count() < 10);
    }

    #[test]
    fn the_same_seed_gives_the_same_jitter() {
        let numbers = |seed| {
            let mut jitter = Jitter::new(seed);
            [jitter.next(), jitter.next()]
        };
        assert_eq!(numbers(1), numbers(1));
        assert_ne!(numbers(1), numbers(2));
    }

    #[test]
    fn a_pause_of_nothing_stays_nothing_after_any_number_of_failures() {
        assert_eq!(Backoff { initial: Duration::ZERO, ..EXACT }.pause(5000, 1.0), Duration::ZERO);
    }
}
