//! The ids that were published to a queue or topic.

use std::time::Duration;

use units::Timestamp;

/// An id that was published.
#[derive(Clone, Debug)]
struct Known {
    whole: u128,
    fingerprint: u64,
    at: Timestamp,
    queues: u32,
}

/// The ids that a destination remembers, oldest first. Those whose window is over are kept: after a restart
/// the clock may be back at the time of the last commit, and within it again.
#[derive(Clone, Debug, Default)]
pub(super) struct Remembered(Vec<Known>);

impl Remembered {
    /// The fingerprint of what was published under that id within the window, and how many queues took it.
    pub(super) fn recall(&self, whole: u128, window: Duration, now: Timestamp) -> Option<(u64, u32)> {
        let known = self.0.iter().find(|it| it.whole == whole)?;
        (known.at.plus(window) > now).then_some((known.fingerprint, known.queues))
    }

    pub(super) fn add(&mut self, whole: u128, fingerprint: u64, queues: u32, at: Timestamp, max: u64) {
        self.0.retain(|it| it.whole != whole);
        self.0.push(Known { whole, fingerprint, at, queues });
        while self.0.len() as u64 > max {
            self.0.remove(0);
        }
    }
}
