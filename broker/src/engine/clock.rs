//! The broker's time: it starts at the later of the stored and the wall clock's, and goes on by the
//! monotonic clock, so that it never goes back.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use units::Timestamp;

/// The clocks of the machine. An engine reads no others, so that whoever hands in clocks of his own has all
/// of its time in his hand.
pub trait Time: Send + Sync {
    /// What the wall clock shows; it may jump either way.
    fn wall(&self) -> Timestamp;

    /// What the monotonic clock shows.
    fn instant(&self) -> Instant;
}

/// The clocks of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemTime;

impl Time for SystemTime {
    /// Rounded up to the next millisecond: what else is stamped by the wall clock, such as an event's `time`, then is
    /// never later than when the engine says that it came.
    fn wall(&self) -> Timestamp {
        Timestamp::now().plus(Duration::from_millis(1))
    }

    fn instant(&self) -> Instant {
        Instant::now()
    }
}

/// A clock that was started at a known time.
#[derive(Clone)]
pub(crate) struct Clock {
    base: Timestamp,
    started: Instant,
    time: Arc<dyn Time>,
}

impl Clock {
    /// Starts at the later of the stored and the wall clock's time.
    pub(crate) fn start(stored: Timestamp, time: Arc<dyn Time>) -> Self {
        Self { base: stored.max(time.wall()), started: time.instant(), time }
    }

    /// The present time.
    pub(crate) fn now(&self) -> Timestamp {
        self.base.plus(self.instant_now().saturating_duration_since(self.started))
    }

    /// What the monotonic clock shows now.
    pub(crate) fn instant_now(&self) -> Instant {
        self.time.instant()
    }

    /// When the monotonic clock shows that time, rounded up; `None` for one beyond what it can show.
    pub(crate) fn instant(&self, at: Timestamp) -> Option<Instant> {
        self.started.checked_add(at.since(self.base))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Clocks that stand still.
    struct Still(Timestamp, Instant);

    impl Time for Still {
        fn wall(&self) -> Timestamp {
            self.0
        }

        fn instant(&self) -> Instant {
            self.1
        }
    }

    fn stands(wall: Timestamp) -> Arc<dyn Time> {
        Arc::new(Still(wall, Instant::now()))
    }

    #[test]
    fn time_goes_on_from_the_later_of_the_stored_and_the_wall_clocks() {
        let (early, late) = (Timestamp::from_millis(1_000), Timestamp::from_millis(9_000));
        assert_eq!(Clock::start(late, stands(early)).now(), late);
        assert_eq!(Clock::start(early, stands(late)).now(), late);
    }

    #[test]
    fn a_deadline_is_reached_when_its_instant_is() {
        let clock = Clock::start(Timestamp::from_millis(5), stands(Timestamp::from_millis(5)));
        let past = clock.instant(Timestamp::from_millis(1)).unwrap();
        assert!(past <= clock.instant_now());
        assert_eq!(clock.instant(Timestamp::from_millis(105)).unwrap() - past, Duration::from_millis(100));
    }
}
