//! The broker's time: it starts at the later of the stored and the wall clock's, and goes on by the
//! monotonic clock, so that it never goes back.

use std::time::Instant;

use units::Timestamp;

/// A clock that was started at a known time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    base: Timestamp,
    started: Instant,
}

impl Clock {
    /// Starts at the later of the two.
    pub(crate) fn start(stored: Timestamp, wall: Timestamp) -> Self {
        Self { base: stored.max(wall), started: Instant::now() }
    }

    /// The present time.
    pub(crate) fn now(&self) -> Timestamp {
        self.base.plus(self.started.elapsed())
    }

    /// When the monotonic clock shows that time, rounded up; `None` for one beyond what it can show.
    pub(crate) fn instant(&self, at: Timestamp) -> Option<Instant> {
        self.started.checked_add(at.since(self.base))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_from_the_later_of_the_stored_and_the_wall_clocks() {
        let (early, late) = (Timestamp::from_millis(1_000), Timestamp::from_millis(9_000));
        assert!(Clock::start(late, early).now() >= late);
        assert!(Clock::start(early, late).now() >= late);
    }

    #[test]
    fn a_deadline_is_reached_when_its_instant_is() {
        let clock = Clock::start(Timestamp::from_millis(5), Timestamp::from_millis(5));
        let past = clock.instant(Timestamp::from_millis(1)).unwrap();
        assert!(past <= Instant::now());
        assert_eq!(
            clock.instant(Timestamp::from_millis(105)).unwrap() - past,
            std::time::Duration::from_millis(100)
        );
    }
}
