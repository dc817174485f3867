//! What of a connection's answers was handed to HTTP/2 and is not written yet. A client that opens no window
//! for an answer keeps it there for as long as it likes: its socket stays writable, and the answer's body is
//! not asked for more, so that neither of them can tell.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, sleep_until};

/// How often it is looked at the most, whatever the limit.
const SHORTEST: Duration = Duration::from_millis(1);

/// The answers of one connection of which something waits to be written; clones look at the same ones.
#[derive(Clone, Debug, Default)]
pub(super) struct Unwritten(Arc<Mutex<Answers>>);

#[derive(Debug, Default)]
struct Answers {
    /// How many there have been, which numbers them.
    begun: u64,
    waiting: BTreeMap<u64, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    slices: usize,
    /// When the client last took a slice, or when the first one began to wait.
    since: Instant,
}

impl Unwritten {
    /// An answer's body, watched as it is handed out.
    pub(super) fn watch<B>(&self, body: B) -> Watched<B> {
        let mut answers = self.lock();
        answers.begun += 1;
        Watched { body, answer: Answer { connection: self.clone(), number: answers.begun } }
    }

    /// Waits until the client has taken nothing of an answer for so long although something of it waits.
    pub(super) async fn stuck_for(&self, limit: Duration) {
        loop {
            let now = Instant::now();
            let since = self.lock().waiting.values().map(|answer| answer.since).min();
            if since.is_some_and(|since| since + limit <= now) {
                return;
            }
            // What begins to wait from now on isn't stuck any earlier.
            sleep_until(since.unwrap_or(now) + limit.max(SHORTEST)).await;
        }
    }

    /// Of how many answers the client has taken nothing for so long.
    pub(super) fn how_many_stuck(&self, limit: Duration) -> usize {
        let now = Instant::now();
        self.lock().waiting.values().filter(|answer| answer.since + limit <= now).count()
    }

    fn lock(&self) -> MutexGuard<'_, Answers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of the answers.
#[derive(Clone, Debug)]
struct Answer {
    connection: Unwritten,
    number: u64,
}

impl Answer {
    /// The same bytes; whoever drops them has written them, or given them up.
    fn hand_out(&self, bytes: Bytes) -> Bytes {
        let mut answers = self.connection.lock();
        let nothing = Waiting { slices: 0, since: Instant::now() };
        answers.waiting.entry(self.number).or_insert(nothing).slices += 1;
        Bytes::from_owner(Slice { bytes, answer: self.clone() })
    }

    fn taken(&self) {
        let mut answers = self.connection.lock();
        let Some(answer) = answers.waiting.get_mut(&self.number) else { return };
        (answer.slices, answer.since) = (answer.slices - 1, Instant::now());
        if answer.slices == 0 {
            answers.waiting.remove(&self.number);
        }
    }
}

/// Some of an answer, on its way.
struct Slice {
    bytes: Bytes,
    answer: Answer,
}

impl AsRef<[u8]> for Slice {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Slice {
    fn drop(&mut self) {
        self.answer.taken();
    }
}

/// A body of which each slice is known to wait until it is written.
pub(super) struct Watched<B> {
    body: B,
    answer: Answer,
}

impl<B: Body<Data = Bytes> + Unpin> Body for Watched<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        frame.map_ok(|frame| frame.map_data(|bytes| self.answer.hand_out(bytes)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use axum::body;
    use tokio::time::{advance, timeout};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);
    const NEARLY: Duration = Duration::from_secs(29);

    async fn slice(body: &mut Watched<body::Body>) -> Bytes {
        let frame = poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await;
        frame.unwrap().unwrap().into_data().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_stuck_from_the_last_slice_that_was_taken() {
        let unwritten = Unwritten::default();
        let [mut one, mut other] = ["one", "other"].map(|text| unwritten.watch(body::Body::from(text)));
        let first = slice(&mut one).await;
        assert_eq!(first, "one");
        advance(NEARLY).await;
        let second = slice(&mut other).await;
        drop(first);
        assert!(timeout(NEARLY, unwritten.stuck_for(LIMIT)).await.is_err());
        let began = Instant::now();
        unwritten.stuck_for(LIMIT).await;
        assert!(began.elapsed() <= Duration::from_secs(2), "{:?}", began.elapsed());
        drop(second);
        assert!(timeout(10 * LIMIT, unwritten.stuck_for(LIMIT)).await.is_err(), "nothing waits any more");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_taken_slowly_is_not_stuck() {
        let unwritten = Unwritten::default();
        let body = unwritten.watch(());
        let mut slices: Vec<_> = ["a", "b", "c"].map(|text| body.answer.hand_out(text.into())).into();
        for _ in 0..3 {
            assert!(timeout(NEARLY, unwritten.stuck_for(LIMIT)).await.is_err());
            slices.pop();
        }
    }
}
