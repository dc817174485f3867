//! Work that is done for many callers by one call, in few statements. What each caller asks for is an item;
//! items of one type that wait for the same commit make a batch. A commit may serve dozens of callers, and
//! each statement costs a way to SQLite's thread and back, so that this is what a busy service gains most by.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    panic::AssertUnwindSafe,
};

use async_trait::async_trait;
use futures_util::{FutureExt as _, future::BoxFuture};
use sqlx::SqliteConnection;
use tokio::sync::oneshot;

use super::{
    DatabaseError,
    unit::{Answer, Kin, Outcome, Unit},
};
use crate::inbox::Heard;

/// What one caller asks of a table, when many callers may ask the same at once.
#[async_trait]
pub trait Batched: Sized + Send + Sync + 'static {
    /// What items are about. No batch holds two of one key, so that each item finds what the one before it
    /// left.
    type Key: Hash;
    /// What an item comes to.
    type Done: Send + 'static;
    /// Why it fails.
    type Error: From<DatabaseError> + Send + 'static;

    /// What this item is about. Asked once, by the caller: a panic is the caller's.
    fn key(&self) -> Self::Key;

    /// Carries out all items, in their order, on the writer's transaction; answers for each in its place.
    /// The rules of [`Database::write`](super::Database::write) hold: it may be done again, and it waits for
    /// nothing but the database.
    ///
    /// # Errors
    /// When one of them fails: then each is carried out alone, so that only that one does.
    async fn carry_out(
        connection: &mut SqliteConnection,
        items: &[&Self],
    ) -> Result<Vec<Self::Done>, Self::Error>;
}

/// An item that waits for the writer.
struct Waiting<B: Batched> {
    heard: Option<Heard>,
    kin: Kin,
    item: B,
    /// What its last run came to.
    answer: Option<Answer<B::Done, B::Error>>,
    caller: oneshot::Sender<Answer<B::Done, B::Error>>,
}

pub(super) fn boxed<B: Batched>(
    heard: Option<Heard>,
    item: B,
    caller: oneshot::Sender<Answer<B::Done, B::Error>>,
) -> Box<dyn Unit> {
    let kin = kin_of(&item);
    Box::new(Waiting { heard, kin, item, answer: None, caller })
}

fn kin_of<B: Batched>(item: &B) -> Kin {
    let mut hasher = DefaultHasher::new();
    item.key().hash(&mut hasher);
    Kin { kind: TypeId::of::<B>(), key_hash: hasher.finish() }
}

impl<B: Batched> Unit for Waiting<B> {
    fn hears(&self) -> Option<&Heard> {
        self.heard.as_ref()
    }

    fn kin(&self) -> Option<Kin> {
        Some(self.kin)
    }

    fn run<'c>(
        &'c mut self,
        others: &'c mut [&mut dyn Unit],
        connection: &'c mut SqliteConnection,
    ) -> BoxFuture<'c, Outcome> {
        let others = others.iter_mut().filter_map(|other| other.as_any().downcast_mut::<Self>());
        let batch: Vec<&mut Self> = std::iter::once(self).chain(others).collect();
        Box::pin(run(batch, connection))
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

/// Carries out a batch, and keeps each item's answer. That of a failure is kept only where there is one
/// item: of many it is not known whose it is.
async fn run<B: Batched>(mut batch: Vec<&mut Waiting<B>>, connection: &mut SqliteConnection) -> Outcome {
    let items: Vec<&B> = batch.iter().map(|waiting| &waiting.item).collect();
    let carried_out = async {
        let done = B::carry_out(connection, &items).await?;
        assert_eq!(done.len(), items.len(), "each item is answered for");
        Ok(done)
    };
    // What a panic leaves half done is undone with the transaction.
    let failed = match AssertUnwindSafe(carried_out).catch_unwind().await {
        Ok(Ok(done)) => {
            for (waiting, done) in batch.into_iter().zip(done) {
                waiting.answer = Some(Answer::Worked(Ok(done)));
            }
            return Outcome::Keep;
        }
        Ok(Err(error)) => Answer::Worked(Err(error)),
        Err(payload) => Answer::Panicked(payload),
    };
    if let [alone] = batch.as_mut_slice() {
        alone.answer = Some(failed);
    }
    Outcome::Undo
}

/// Puts units into batches, in order: those of one kind together, but the second of a key in the batch
/// after the first of it.
pub(super) fn batches<'u>(units: impl Iterator<Item = &'u mut dyn Unit>) -> Vec<Vec<&'u mut dyn Unit>> {
    let mut batches: Vec<Vec<&'u mut dyn Unit>> = Vec::new();
    let mut places: HashMap<(TypeId, usize), usize> = HashMap::new();
    let mut of_key: HashMap<Kin, usize> = HashMap::new();
    for unit in units {
        let Some(kin) = unit.kin() else {
            batches.push(vec![unit]);
            continue;
        };
        let earlier = of_key.entry(kin).or_default();
        let place = *places.entry((kin.kind, *earlier)).or_insert(batches.len());
        *earlier += 1;
        match batches.get_mut(place) {
            Some(batch) => batch.push(unit),
            None => batches.push(vec![unit]),
        }
    }
    batches
}
