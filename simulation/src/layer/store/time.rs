//! Clocks in our hand.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use broker::engine::clock::Time;
use units::Timestamp;

/// A wall clock and a monotonic clock that stand until they are told to go on.
#[derive(Debug)]
pub(super) struct SimulatedTime {
    beginning: Instant,
    /// In milliseconds since the beginning.
    passed: AtomicU64,
    wall: AtomicU64,
}

impl SimulatedTime {
    pub(super) fn new(wall: Timestamp) -> Self {
        let wall = AtomicU64::new(wall.as_millis());
        Self { beginning: Instant::now(), passed: AtomicU64::new(0), wall }
    }

    /// Time passes.
    pub(super) fn pass(&self, length: Duration) {
        let millis = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
        self.passed.fetch_add(millis, Ordering::Relaxed);
    }

    /// Somebody sets the wall clock.
    pub(super) fn set_wall(&self, wall: Timestamp) {
        self.wall.store(wall.as_millis(), Ordering::Relaxed);
    }
}

impl Time for SimulatedTime {
    fn wall(&self) -> Timestamp {
        Timestamp::from_millis(self.wall.load(Ordering::Relaxed))
    }

    fn instant(&self) -> Instant {
        self.beginning + self.passed()
    }

    fn passed(&self) -> Duration {
        Duration::from_millis(self.passed.load(Ordering::Relaxed))
    }
}
