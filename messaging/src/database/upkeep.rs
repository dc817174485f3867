//! What the writer does of itself now and then, after others' work: forgets what the inbox need not
//! remember any more.

use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use units::Timestamp;

use super::{
    DatabaseError,
    unit::{self, Answer, Unit},
};
use crate::inbox;

/// How often the inbox is pruned.
const EVERY: Duration = Duration::from_secs(3600);
/// How soon it is pruned again where more is left.
const AGAIN: Duration = Duration::from_secs(1);
/// How soon after the start.
const FIRST: Duration = Duration::from_secs(60);
/// How many rows go at once, so that others need not wait long.
const ROWS: u32 = 1000;

/// When the next upkeep is due.
pub(super) struct Upkeep {
    due: Instant,
}

impl Upkeep {
    pub(super) fn new() -> Self {
        Self { due: Instant::now() + FIRST }
    }

    pub(super) fn is_due(&self) -> bool {
        Instant::now() >= self.due
    }

    /// The work that is due, and where to hear how many rows went.
    pub(super) fn work() -> (Box<dyn Unit>, oneshot::Receiver<Answer<u64, DatabaseError>>) {
        let (answer, answered) = oneshot::channel();
        let before = super::before(Timestamp::now(), inbox::RETENTION);
        let unit = unit::boxed(
            None,
            move |connection| Box::pin(async move { Ok(inbox::prune(connection, before, ROWS).await?) }),
            answer,
        );
        (unit, answered)
    }

    /// Notes what it came to, and when the next is due.
    pub(super) fn done(&mut self, mut answered: oneshot::Receiver<Answer<u64, DatabaseError>>) {
        let pruned = match answered.try_recv() {
            Ok(Answer::Worked(Ok(pruned))) => pruned,
            Ok(Answer::Worked(Err(error))) => {
                tracing::warn!(error = %error, "inbox_prune_failed");
                0
            }
            _ => 0,
        };
        self.due = Instant::now() + if pruned == u64::from(ROWS) { AGAIN } else { EVERY };
    }
}
