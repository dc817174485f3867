//! One caller's unit of work, and how its answer waits for the commit. Which units share a transaction
//! is the writer's matter.

use std::{any::Any, panic::AssertUnwindSafe};

use futures_util::{FutureExt as _, future::BoxFuture};
use sqlx::SqliteConnection;
use tokio::sync::oneshot;

use super::DatabaseError;

/// What the caller hears.
pub(super) enum Answer<T, E> {
    Worked(Result<T, E>),
    Panicked(Box<dyn Any + Send>),
}

/// Tells a caller what the commit of its work came to.
pub(super) type Commit = Box<dyn FnOnce(Result<(), DatabaseError>) + Send>;

/// What a unit came to, before the commit.
pub(super) enum Outcome {
    /// Keep what it wrote; tell it what the commit came to.
    Keep(Commit),
    /// Undo what it wrote; then tell it.
    Undo(Box<dyn FnOnce() + Send>),
}

/// A unit of work of any type.
pub(super) trait Unit: Send {
    /// Does the work inside the writer's transaction.
    fn run(self: Box<Self>, connection: &mut SqliteConnection) -> BoxFuture<'_, Outcome>;

    /// Tells the caller that it can't be begun.
    fn refuse(self: Box<Self>, error: DatabaseError);
}

pub(super) fn boxed<W, T, E>(work: W, answer: oneshot::Sender<Answer<T, E>>) -> Box<dyn Unit>
where
    W: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: From<DatabaseError> + Send + 'static,
{
    Box::new(Work { work, answer })
}

struct Work<W, T, E> {
    work: W,
    answer: oneshot::Sender<Answer<T, E>>,
}

impl<W, T, E> Unit for Work<W, T, E>
where
    W: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: From<DatabaseError> + Send + 'static,
{
    fn run(self: Box<Self>, connection: &mut SqliteConnection) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            let Self { work, answer } = *self;
            // What a panic leaves half done is undone with the savepoint. The call is inside, for the
            // part of `work` before its future can panic as well. Nobody may be waiting for an answer.
            match AssertUnwindSafe(async { work(connection).await }).catch_unwind().await {
                Ok(Ok(value)) => Outcome::Keep(Box::new(move |committed| {
                    let result = committed.map(|()| value).map_err(E::from);
                    let _ = answer.send(Answer::Worked(result));
                })),
                Ok(Err(error)) => Outcome::Undo(Box::new(move || {
                    let _ = answer.send(Answer::Worked(Err(error)));
                })),
                Err(payload) => Outcome::Undo(Box::new(move || {
                    let _ = answer.send(Answer::Panicked(payload));
                })),
            }
        })
    }

    fn refuse(self: Box<Self>, error: DatabaseError) {
        let _ = self.answer.send(Answer::Worked(Err(error.into())));
    }
}
