//! The ids that a queue or topic remembers, so that what is published twice is stored once.

use std::{collections::VecDeque, time::Duration};

use units::Timestamp;

use crate::number_map::NumberMap;

/// How much later than needed an idle destination forgets: many ids go at once then.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is remembered of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Remembered {
    pub(crate) fingerprint: u64,
    pub(crate) at: Timestamp,
    /// How many queues took it.
    pub(crate) queues: u32,
}

/// For how long ids are remembered, and how many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// Zero turns deduplication off.
    pub(crate) length: Duration,
    pub(crate) max_ids: u64,
}

impl Window {
    fn is_over(self, at: Timestamp, now: Timestamp) -> bool {
        at.plus(self.length) <= now
    }
}

/// The remembered ids of one destination.
#[derive(Debug, Default)]
pub(crate) struct Deduplication {
    by_id: NumberMap<[u64; 2], Remembered>,
    /// Oldest first. One that was remembered again later no longer counts.
    by_age: VecDeque<(Timestamp, [u64; 2])>,
    forgotten_early: u64,
}

fn halves(whole: u128) -> [u64; 2] {
    [(whole >> 64) as u64, whole as u64]
}

impl Deduplication {
    /// What is remembered of an id within the window.
    pub(crate) fn recall(&self, whole: u128, window: Window, now: Timestamp) -> Option<Remembered> {
        self.by_id.get(&halves(whole)).copied().filter(|it| !window.is_over(it.at, now))
    }

    /// Remembers an id. Returns whether the window is on at all.
    pub(crate) fn remember(&mut self, whole: u128, what: Remembered, window: Window) -> bool {
        if window.length.is_zero() {
            return false;
        }
        self.by_id.insert(halves(whole), what);
        self.by_age.push_back((what.at, halves(whole)));
        while self.len() > window.max_ids {
            self.forgotten_early += u64::from(self.forget_oldest());
        }
        true
    }

    /// Forgets ids whose window is over, at most `budget` of them, and takes them off the budget.
    pub(crate) fn forget(&mut self, window: Window, now: Timestamp, budget: &mut usize) {
        while *budget > 0 && self.by_age.front().is_some_and(|(at, _)| window.is_over(*at, now)) {
            self.forget_oldest();
            *budget -= 1;
        }
    }

    /// When forgetting is worth a look.
    pub(crate) fn next_due(&self, window: Window) -> Option<Timestamp> {
        self.by_age.front().map(|(at, _)| at.plus(window.length).plus(PATIENCE))
    }

    /// How many ids are remembered.
    pub(crate) fn len(&self) -> u64 {
        self.by_id.len() as u64
    }

    /// How many were forgotten before their time, for want of room.
    pub(crate) fn forgotten_early(&self) -> u64 {
        self.forgotten_early
    }

    /// Returns whether the oldest entry still counted.
    fn forget_oldest(&mut self) -> bool {
        let Some((at, whole)) = self.by_age.pop_front() else { return false };
        let counts = self.by_id.get(&whole).is_some_and(|it| it.at == at);
        if counts {
            self.by_id.remove(&whole);
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Window = Window { length: Duration::from_secs(300), max_ids: 2 };

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn seen(seconds: u64) -> Remembered {
        Remembered { fingerprint: 1, at: at(seconds), queues: 1 }
    }

    #[test]
    fn an_id_is_remembered_for_the_window_and_not_a_moment_longer() {
        let mut ids = Deduplication::default();
        ids.remember(7, seen(0), WINDOW);
        assert_eq!(ids.recall(7, WINDOW, Timestamp::from_millis(299_999)), Some(seen(0)));
        assert_eq!(ids.recall(7, WINDOW, at(300)), None);
    }

    #[test]
    fn beyond_the_limit_the_oldest_is_forgotten_early_and_counted() {
        let mut ids = Deduplication::default();
        for id in 1..=3 {
            ids.remember(id, seen(id as u64), WINDOW);
        }
        assert_eq!(ids.recall(1, WINDOW, at(3)), None);
        assert_eq!(ids.recall(2, WINDOW, at(3)), Some(seen(2)));
        assert_eq!((ids.len(), ids.forgotten_early()), (2, 1));
    }

    #[test]
    fn an_id_remembered_again_after_its_window_is_not_forgotten_with_its_first_time() {
        let mut ids = Deduplication::default();
        ids.remember(7, seen(0), WINDOW);
        ids.remember(7, seen(301), WINDOW);
        ids.forget(WINDOW, at(301), &mut 10);
        assert_eq!(ids.recall(7, WINDOW, at(302)), Some(seen(301)));
    }

    #[test]
    fn a_window_of_nothing_remembers_nothing() {
        let mut ids = Deduplication::default();
        let off = Window { length: Duration::ZERO, ..WINDOW };
        assert!(!ids.remember(7, seen(0), off));
        assert_eq!((ids.recall(7, off, at(0)), ids.len()), (None, 0));
    }

    #[test]
    fn forgetting_keeps_to_its_budget() {
        let mut ids = Deduplication::default();
        let wide = Window { max_ids: 100, ..WINDOW };
        for id in 0..10 {
            ids.remember(id, seen(0), wide);
        }
        let mut budget = 4;
        ids.forget(wide, at(1000), &mut budget);
        assert_eq!((ids.len(), budget), (6, 0));
    }
}
