//! One caller's unit of work: run in the writer's transaction, told what the commit came to. Which units
//! share a transaction is the writer's matter.

use std::{
    any::{Any, TypeId},
    panic::AssertUnwindSafe,
};

use futures_util::{FutureExt as _, future::BoxFuture};
use sqlx::SqliteConnection;
use tokio::sync::oneshot;

use super::DatabaseError;
use crate::inbox::Heard;

/// What the caller hears.
pub(super) enum Answer<T, E> {
    Worked(Result<T, E>),
    /// The event that the work is for was heard before, so that it was not done.
    HeardBefore,
    Panicked(Box<dyn Any + Send>),
}

impl<T, E: From<DatabaseError>> Answer<T, E> {
    /// What a caller hears whose work came to `worked`, now that its transaction has ended so.
    pub(super) fn after(worked: Option<Self>, committed: Result<(), DatabaseError>) -> Self {
        match (worked, committed) {
            (Some(failed @ (Self::Worked(Err(_)) | Self::Panicked(_))), _) => failed,
            (Some(kept), Ok(())) => kept,
            (_, Err(error)) => Self::Worked(Err(error.into())),
            (None, Ok(())) => Self::Worked(Err(DatabaseError::Closed.into())),
        }
    }
}

/// What a unit came to, before the commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Keep,
    /// It failed or panicked: what it wrote is to be undone.
    Undo,
}

/// What a unit can share a call with: others of its kind, but not those of the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Kin {
    pub(super) kind: TypeId,
    /// Two keys may have one hash: then they are taken for the same, which costs a call and no more.
    pub(super) key_hash: u64,
}

/// A unit of work of any type.
pub(super) trait Unit: Send {
    /// The event that it is for, where it is to be done once for it.
    fn hears(&self) -> Option<&Heard>;

    /// What it can share a call with; `None` where it is run alone.
    fn kin(&self) -> Option<Kin> {
        None
    }

    /// Does the work inside the writer's transaction, and that of `others`, which are of its kind. After a
    /// rollback it may be done again.
    fn run<'c>(
        &'c mut self,
        others: &'c mut [&mut dyn Unit],
        connection: &'c mut SqliteConnection,
    ) -> BoxFuture<'c, Outcome>;

    /// Leaves the work undone, as the event was heard before.
    fn skip(&mut self);

    /// Tells the caller what the work came to, now that its transaction has ended so.
    fn tell(self: Box<Self>, committed: Result<(), DatabaseError>);

    /// The same as what it is, for one of its kind.
    fn as_any(&mut self) -> &mut dyn Any;
}

pub(super) fn boxed<W, T, E>(
    heard: Option<Heard>,
    work: W,
    caller: oneshot::Sender<Answer<T, E>>,
) -> Box<dyn Unit>
where
    W: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, E>> + Clone + Send + 'static,
    T: Send + 'static,
    E: From<DatabaseError> + Send + 'static,
{
    Box::new(Work { heard, work, answer: None, caller })
}

struct Work<W, T, E> {
    heard: Option<Heard>,
    work: W,
    /// What its last run came to.
    answer: Option<Answer<T, E>>,
    caller: oneshot::Sender<Answer<T, E>>,
}

impl<W, T, E> Unit for Work<W, T, E>
where
    W: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, E>> + Clone + Send + 'static,
    T: Send + 'static,
    E: From<DatabaseError> + Send + 'static,
{
    fn hears(&self) -> Option<&Heard> {
        self.heard.as_ref()
    }

    fn run<'c>(
        &'c mut self,
        _: &'c mut [&mut dyn Unit],
        connection: &'c mut SqliteConnection,
    ) -> BoxFuture<'c, Outcome> {
        let work = self.work.clone();
        Box::pin(async move {
            // What a panic leaves half done is undone with the transaction. The call is inside, for the
            // part of `work` before its future can panic as well.
            let worked = AssertUnwindSafe(async { work(connection).await }).catch_unwind().await;
            let outcome = if matches!(worked, Ok(Ok(_))) { Outcome::Keep } else { Outcome::Undo };
            self.answer = Some(worked.map_or_else(Answer::Panicked, Answer::Worked));
            outcome
        })
    }

    fn skip(&mut self) {
        self.answer = Some(Answer::HeardBefore);
    }

    fn tell(self: Box<Self>, committed: Result<(), DatabaseError>) {
        // Nobody may be waiting for it.
        let _ = self.caller.send(Answer::after(self.answer, committed));
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}
