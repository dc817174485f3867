//! The broker's time: it starts at the later of the stored and the wall clock's, and goes on by the
//! monotonic clock, so that it never goes back. It does not stand still while the machine sleeps.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};
use units::Timestamp;

/// The clocks of the machine. An engine reads no others, so that whoever hands in clocks of his own has all
/// of its time in his hand.
pub trait Time: Send + Sync {
    /// What the wall clock shows; it may jump either way.
    fn wall(&self) -> Timestamp;

    /// What the monotonic clock shows by which threads wait; on Linux it stands while the machine sleeps.
    fn instant(&self) -> Instant;

    /// How much time has passed since some moment before this process began, sleep included.
    fn passed(&self) -> Duration;
}

/// The clocks of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemTime;

impl Time for SystemTime {
    /// Rounded up to the next millisecond: what else is stamped by the wall clock, such as an event's `time`, then is
    /// not later than when the engine says that it came, as long as nobody sets the wall clock.
    fn wall(&self) -> Timestamp {
        Timestamp::now().plus(Duration::from_millis(1))
    }

    fn instant(&self) -> Instant {
        Instant::now()
    }

    fn passed(&self) -> Duration {
        let shown = clock_gettime(NEVER_STANDS);
        Duration::try_from(shown).expect("a monotonic clock shows no time before its beginning")
    }
}

/// The monotonic clock that goes on while the machine sleeps.
#[cfg(any(target_os = "linux", target_os = "android"))]
const NEVER_STANDS: ClockId = ClockId::Boottime;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const NEVER_STANDS: ClockId = ClockId::Monotonic;

/// A clock that was started at a known time.
#[derive(Clone)]
pub(crate) struct Clock {
    base: Timestamp,
    started: Duration,
    time: Arc<dyn Time>,
}

impl Clock {
    /// Starts at the later of the stored and the wall clock's time.
    pub(crate) fn start(stored: Timestamp, time: Arc<dyn Time>) -> Self {
        Self { base: stored.max(time.wall()), started: time.passed(), time }
    }

    /// The present time.
    pub(crate) fn now(&self) -> Timestamp {
        self.base.plus(self.time.passed().saturating_sub(self.started))
    }

    /// What the monotonic clock shows now.
    pub(crate) fn instant_now(&self) -> Instant {
        self.time.instant()
    }

    /// When the monotonic clock shows that time, rounded up, if the machine does not sleep meanwhile; `None` for
    /// one beyond what it can show.
    pub(crate) fn instant(&self, at: Timestamp) -> Option<Instant> {
        self.instant_now().checked_add(at.since(self.now()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// Clocks that stand still, but for the machine's sleep.
    struct Still(Timestamp, Instant, AtomicU64);

    impl Time for Still {
        fn wall(&self) -> Timestamp {
            self.0
        }

        fn instant(&self) -> Instant {
            self.1
        }

        fn passed(&self) -> Duration {
            Duration::from_secs(self.2.load(Ordering::SeqCst))
        }
    }

    fn stands(wall: Timestamp) -> Arc<Still> {
        Arc::new(Still(wall, Instant::now(), AtomicU64::new(1_000)))
    }

    #[test]
    fn time_goes_on_from_the_later_of_the_stored_and_the_wall_clocks() {
        let (early, late) = (Timestamp::from_millis(1_000), Timestamp::from_millis(9_000));
        assert_eq!(Clock::start(late, stands(early)).now(), late);
        assert_eq!(Clock::start(early, stands(late)).now(), late);
    }

    #[test]
    fn time_goes_on_while_the_machine_sleeps() {
        let time = stands(Timestamp::default());
        let clock = Clock::start(Timestamp::default(), Arc::clone(&time) as _);
        let due = Timestamp::default().plus(Duration::from_secs(60));
        assert_eq!(clock.instant(due), Some(time.1 + Duration::from_secs(60)));
        time.2.fetch_add(90, Ordering::SeqCst);
        assert_eq!(clock.now().since(due), Duration::from_secs(30));
        assert_eq!(clock.instant(due), Some(time.1), "it is due");
    }

    #[test]
    fn the_machines_clocks_go_on() {
        let (before, instant) = (SystemTime.passed(), Instant::now());
        while instant.elapsed() < Duration::from_millis(2) {
            std::hint::spin_loop();
        }
        assert!(SystemTime.passed() - before >= Duration::from_millis(2));
    }

    #[test]
    fn a_deadline_is_reached_when_its_instant_is() {
        let clock = Clock::start(Timestamp::from_millis(5), stands(Timestamp::from_millis(5)));
        let past = clock.instant(Timestamp::from_millis(1)).unwrap();
        assert!(past <= clock.instant_now());
        assert_eq!(clock.instant(Timestamp::from_millis(105)).unwrap() - past, Duration::from_millis(100));
    }
}
