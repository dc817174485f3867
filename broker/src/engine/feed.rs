//! What happens, for whoever watches: a bounded ring that the engine writes and each watcher reads at its
//! own pace. A watcher has no buffer of its own, so a slow one costs nothing; it is told what it missed.

mod position;
mod told;
mod watcher;

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use tokio::sync::watch;
use units::Timestamp;

pub use self::{
    position::Position,
    told::{LeftOut, Told, ToldActivity, ToldMessage},
    watcher::{Batch, Watcher},
};

/// How much memory the ring takes, in bytes, about.
const RING_BYTES: usize = 8 << 20;
/// How many items a watcher takes at once.
const BATCH: usize = 256;

/// The ring, and who watches it.
#[derive(Debug)]
pub(crate) struct Feed {
    pub(crate) began: Timestamp,
    max_watchers: usize,
    watchers: AtomicUsize,
    /// The number of the latest activity, told or not.
    latest: AtomicU64,
    ring: Mutex<Ring>,
    changed: watch::Sender<()>,
}

#[derive(Debug)]
struct Ring {
    /// Whether the engine writes into it.
    is_open: bool,
    items: VecDeque<(Position, Arc<Told>)>,
    bytes: usize,
    /// All that happened after this is in the ring, but for what it says was left out.
    after: Position,
}

impl Feed {
    pub(crate) fn new(max_watchers: usize) -> Self {
        let ring = Ring { is_open: false, items: VecDeque::new(), bytes: 0, after: Position::default() };
        Self {
            began: Timestamp::now(),
            max_watchers,
            watchers: AtomicUsize::new(0),
            latest: AtomicU64::new(0),
            ring: Mutex::new(ring),
            changed: watch::Sender::new(()),
        }
    }

    /// How many watch.
    pub(crate) fn watchers(&self) -> usize {
        self.watchers.load(Ordering::SeqCst)
    }

    /// So many more activities happened; the number of the one before them.
    pub(crate) fn count(&self, more: u64) -> u64 {
        self.latest.fetch_add(more, Ordering::SeqCst)
    }

    /// From now on all is told.
    pub(crate) fn open(&self) {
        let mut ring = self.lock();
        ring.is_open = true;
        ring.after = Position::of(self.latest.load(Ordering::SeqCst));
    }

    /// Nothing is told any more, and nothing kept.
    pub(crate) fn close(&self) {
        let mut ring = self.lock();
        ring.is_open = false;
        ring.items = VecDeque::new();
        ring.bytes = 0;
    }

    /// Tells what happened, in order.
    pub(crate) fn tell(&self, items: impl Iterator<Item = (Position, Told)>) {
        let mut ring = self.lock();
        items.for_each(|(position, told)| ring.push(position, told));
        drop(ring);
        self.changed.send_replace(());
    }

    /// Begins to watch: from now on, or behind that place; `None` when there are too many already.
    pub(crate) fn watch(self: &Arc<Self>, after: Option<Position>) -> Option<Watcher> {
        let more = |watchers| (watchers < self.max_watchers).then_some(watchers + 1);
        self.watchers.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).ok()?;
        let changed = self.changed.subscribe();
        let ring = self.lock();
        // Where the ring is not open yet, the engine opens it for this watcher.
        let after = after.or_else(|| ring.is_open.then(|| ring.end()));
        drop(ring);
        Some(Watcher::new(Arc::clone(self), after, changed))
    }

    /// Whether something can stand at that place by now.
    pub(crate) fn has_reached(&self, position: Position) -> bool {
        position.activity() <= self.latest.load(Ordering::SeqCst)
    }

    /// No code that can panic runs under the lock, so a poisoned one is as good as any.
    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn push(&mut self, position: Position, told: Told) {
        self.bytes += told.bytes();
        self.items.push_back((position, Arc::new(told)));
        while self.bytes > RING_BYTES {
            let Some((position, told)) = self.items.pop_front() else { break };
            self.bytes -= told.bytes();
            self.after = position;
        }
    }

    fn end(&self) -> Position {
        self.items.back().map_or(self.after, |(position, _)| *position)
    }

    fn batch(&self, after: Option<Position>) -> Batch {
        let from = after.map_or(self.after, |after| after.max(self.after));
        let skipped = from.activity() - after.unwrap_or(from).activity();
        let first = self.items.partition_point(|(position, _)| *position <= from);
        let items: Vec<_> = self.items.range(first..).take(BATCH).cloned().collect();
        let after = items.last().map_or(from, |(position, _)| *position);
        Batch { skipped, items, after }
    }
}

#[cfg(test)]
mod tests {
    use broker_core::activity::ActivityKind;

    use super::*;

    fn told(reason: &str) -> Told {
        Told::Activity(ToldActivity {
            at: Timestamp::default(),
            what: ActivityKind::Nacked,
            queue: None,
            topic: None,
            message: None,
            consumer: None,
            reason: Some(Arc::from(reason)),
        })
    }

    fn tell(feed: &Feed, reason: &str) {
        let number = feed.count(1) + 1;
        feed.tell([(Position::of(number), told(reason))].into_iter());
    }

    fn numbers(batch: &Batch) -> Vec<u64> {
        batch.items.iter().map(|(position, _)| position.activity()).collect()
    }

    #[tokio::test]
    async fn a_watcher_is_told_what_happens_from_then_on() {
        let feed = Arc::new(Feed::new(1));
        feed.open();
        tell(&feed, "before");
        let mut watcher = feed.watch(None).unwrap();
        tell(&feed, "after");
        assert_eq!(numbers(&watcher.next().await), [2]);
        assert_eq!(watcher.position(), Some(Position::of(2)));
    }

    #[tokio::test]
    async fn who_was_away_goes_on_where_it_was_and_hears_how_many_are_beyond_the_ring() {
        let feed = Arc::new(Feed::new(1));
        feed.open();
        let large = "x".repeat(RING_BYTES / 4);
        for _ in 0..10 {
            tell(&feed, &large);
        }
        let batch = feed.watch(Some(Position::of(8))).unwrap().next().await;
        assert_eq!((batch.skipped, numbers(&batch)), (0, vec![9, 10]));
        let batch = feed.watch(Some(Position::of(2))).unwrap().next().await;
        assert_eq!((batch.skipped, numbers(&batch)), (5, vec![8, 9, 10]));
        assert!(feed.lock().bytes <= RING_BYTES);
    }

    #[tokio::test]
    async fn what_happened_while_nothing_was_told_is_counted() {
        let feed = Arc::new(Feed::new(1));
        feed.open();
        tell(&feed, "told");
        feed.close();
        feed.count(7);
        let mut watcher = feed.watch(Some(Position::of(1))).unwrap();
        feed.open();
        tell(&feed, "told");
        let batch = watcher.next().await;
        assert_eq!((batch.skipped, numbers(&batch)), (7, vec![9]));
    }

    #[tokio::test]
    async fn so_many_watch_and_no_more() {
        let feed = Arc::new(Feed::new(2));
        let (first, _second) = (feed.watch(None).unwrap(), feed.watch(None).unwrap());
        assert!(feed.watch(None).is_none());
        drop(first);
        assert!(feed.watch(None).is_some());
    }
}
