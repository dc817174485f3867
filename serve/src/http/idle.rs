//! Whether a connection is idle: nothing of a request is under way on it, nor of an answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

/// What one connection is doing; clones look at the same one.
#[derive(Clone, Debug)]
pub(super) struct Doing(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    began: Instant,
    open: AtomicUsize,
    /// When the last request ended, in ms after the beginning.
    last: AtomicU64,
}

impl Doing {
    pub(super) fn nothing_yet() -> Self {
        Self(Arc::new(Inner { began: Instant::now(), open: AtomicUsize::new(0), last: AtomicU64::new(0) }))
    }

    /// A request began.
    pub(super) fn begin(&self) -> Open {
        self.0.open.fetch_add(1, Ordering::AcqRel);
        Open(self.clone())
    }

    /// How many requests are under way, or their answers.
    pub(super) fn how_much(&self) -> usize {
        self.0.open.load(Ordering::Acquire)
    }

    /// Waits until nothing has been under way for so long.
    pub(super) async fn nothing_for(&self, limit: Duration) {
        loop {
            let is_open = self.how_much() > 0;
            let last = self.0.began + Duration::from_millis(self.0.last.load(Ordering::Acquire));
            let until = if is_open { Instant::now() + limit } else { last + limit };
            if until <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(until).await;
        }
    }
}

/// A request or its answer is under way; no more once it is dropped.
#[derive(Debug)]
pub(super) struct Open(Doing);

impl Drop for Open {
    fn drop(&mut self) {
        let Inner { began, open, last } = &*self.0.0;
        let now = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        last.store(now, Ordering::Release);
        open.fetch_sub(1, Ordering::AcqRel);
    }
}
