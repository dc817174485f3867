//! How fast a consumer goes. After [`ROW`] different messages in a row failed for the moment's fault, it
//! is not the messages: then one at a time is tried, ever further apart, until one succeeds. Time is
//! handed in.

use std::time::{Duration, Instant};

/// How many different messages must fail in a row.
const ROW: usize = 5;
/// The first pause between probes.
const FIRST: Duration = Duration::from_secs(1);
/// The longest.
const LONGEST: Duration = Duration::from_secs(10);

/// A message's source and id.
pub(super) type Identity = (String, String);

#[derive(Debug)]
pub(super) enum Pace {
    /// As fast as the handlers can; holds the messages that failed since the last success.
    Full(Vec<Identity>),
    /// One at a time: the next at `next`, the one after it `pause` later.
    Probing { next: Instant, pause: Duration },
}

/// Whether a failed delivery counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counting {
    Counted,
    /// The fault is not the message's: it goes back as if it had not been tried.
    Uncounted,
}

/// Whether an attempt was a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attempted {
    AtFullPace,
    AsProbe,
}

impl Pace {
    pub(super) const fn full() -> Self {
        Self::Full(Vec::new())
    }

    pub(super) const fn is_probing(&self) -> bool {
        matches!(self, Self::Probing { .. })
    }

    /// When the next probe is due; none at full pace.
    pub(super) const fn next_probe(&self) -> Option<Instant> {
        match self {
            Self::Full(_) => None,
            Self::Probing { next, .. } => Some(*next),
        }
    }

    /// One success ends it.
    pub(super) fn succeeded(&mut self) {
        match self {
            Self::Full(failed) if failed.is_empty() => {}
            _ => *self = Self::full(),
        }
    }

    /// Notes a failure of the moment, and tells whether the delivery counts. What was begun at full pace
    /// and ends while probing does not.
    pub(super) fn failed(&mut self, message: Identity, attempted: Attempted, now: Instant) -> Counting {
        match self {
            Self::Full(failed) => {
                if !failed.contains(&message) {
                    failed.push(message);
                }
                if failed.len() == ROW {
                    *self = Self::Probing { next: now + FIRST, pause: FIRST * 2 };
                }
                Counting::Counted
            }
            Self::Probing { .. } if attempted == Attempted::AtFullPace => Counting::Uncounted,
            Self::Probing { next, pause } => {
                *next = now + *pause;
                *pause = (*pause * 2).min(LONGEST);
                Counting::Counted
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(n: usize) -> Identity {
        ("/s".to_owned(), n.to_string())
    }

    fn probing(now: Instant) -> Pace {
        let mut pace = Pace::full();
        for n in 0..ROW {
            assert_eq!(pace.failed(message(n), Attempted::AtFullPace, now), Counting::Counted);
        }
        pace
    }

    #[test]
    fn one_message_that_fails_again_and_again_slows_nothing() {
        let mut pace = Pace::full();
        for _ in 0..20 {
            assert_eq!(pace.failed(message(1), Attempted::AtFullPace, Instant::now()), Counting::Counted);
        }
        assert!(!pace.is_probing());
    }

    #[test]
    fn a_success_in_between_starts_the_row_anew() {
        let mut pace = Pace::full();
        for n in 0..ROW - 1 {
            pace.failed(message(n), Attempted::AtFullPace, Instant::now());
        }
        pace.succeeded();
        pace.failed(message(9), Attempted::AtFullPace, Instant::now());
        assert!(!pace.is_probing());
    }

    #[test]
    fn five_different_messages_in_a_row_make_it_probe() {
        let now = Instant::now();
        assert_eq!(probing(now).next_probe(), Some(now + FIRST));
    }

    #[test]
    fn probes_are_a_second_apart_growing_to_ten() {
        let mut now = Instant::now();
        let mut pace = probing(now);
        let mut apart = Vec::new();
        for n in 0..6 {
            let next = pace.next_probe().unwrap();
            apart.push((next - now).as_secs());
            now = next;
            assert_eq!(pace.failed(message(n), Attempted::AsProbe, now), Counting::Counted);
        }
        assert_eq!(apart, [1, 2, 4, 8, 10, 10]);
    }

    #[test]
    fn what_else_fails_while_probing_does_not_count_and_delays_no_probe() {
        let now = Instant::now();
        let mut pace = probing(now);
        assert_eq!(pace.failed(message(9), Attempted::AtFullPace, now), Counting::Uncounted);
        assert_eq!(pace.next_probe(), Some(now + FIRST));
    }

    #[test]
    fn one_success_ends_probing() {
        let mut pace = probing(Instant::now());
        pace.succeeded();
        assert!(!pace.is_probing());
    }
}
