//! Somebody who watches: reads the ring at its own pace, and has no buffer of its own.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Interval, MissedTickBehavior},
};

use super::{Feed, Position, Told};

/// How often a watcher looks at the most: in a busy broker groups are committed far oftener.
const PACE: Duration = Duration::from_millis(20);

/// What a watcher takes at once.
#[derive(Debug)]
pub struct Batch {
    /// How many activities happened that it can't be told any more, before the items.
    pub skipped: u64,
    /// What it is told, in order.
    pub items: Vec<(Position, Arc<Told>)>,
    /// Where it stands now.
    pub after: Position,
}

/// Somebody who watches; no more once it is dropped.
#[derive(Debug)]
pub struct Watcher {
    feed: Arc<Feed>,
    after: Option<Position>,
    changed: watch::Receiver<()>,
    pace: Interval,
}

impl Watcher {
    /// Somebody whom the feed counts among its watchers, behind that place.
    pub(super) fn new(feed: Arc<Feed>, after: Option<Position>, changed: watch::Receiver<()>) -> Self {
        let mut pace = tokio::time::interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { feed, after, changed, pace }
    }

    /// Waits until there is something to be told, and takes some of it. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Batch {
        loop {
            self.pace.tick().await;
            self.changed.mark_unchanged();
            let batch = {
                let ring = self.feed.lock();
                ring.is_open.then(|| ring.batch(self.after))
            };
            if let Some(batch) = batch {
                self.after = Some(batch.after);
                if batch.skipped > 0 || !batch.items.is_empty() {
                    return batch;
                }
            }
            // An error means that the feed is gone, which this watcher holds.
            let _ = self.changed.changed().await;
        }
    }

    /// Where it stands, once it was told anything.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.after
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.feed.watchers.fetch_sub(1, Ordering::SeqCst);
    }
}
