//! The store, watched: what the simulation has to know of what passed between engine and store, and the
//! seam at which bugs are planted.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use broker::store::{Found, Group, Reader, Store, StoreError, sqlite::SqliteStore};
use broker_core::{
    change::HighWater,
    identity::{QueueId, Sequence},
    restore::Restore,
};
use units::Timestamp;

use crate::{
    disk,
    plants::{Bug, Plant},
};

/// What passed.
#[derive(Debug)]
pub(super) struct Notes(Mutex<Noted>);

#[derive(Debug)]
pub(super) struct Noted {
    pub(super) plant: Plant,
    /// How many commits of the group under way found no room.
    pub(super) fulls: u32,
    /// The time of the last group that was committed.
    pub(super) committed_at: Timestamp,
    /// The time that was read at a start.
    pub(super) read_at: Option<Timestamp>,
}

impl Notes {
    pub(super) fn new(plant: Plant) -> Self {
        Self(Mutex::new(Noted { plant, fulls: 0, committed_at: Timestamp::default(), read_at: None }))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A store that tells what passes.
pub(super) struct Watched {
    store: Box<SqliteStore>,
    notes: Arc<Notes>,
}

impl Watched {
    pub(super) fn new(store: SqliteStore, notes: Arc<Notes>) -> Self {
        Self { store: Box::new(store), notes }
    }
}

impl Store for Watched {
    fn last(&mut self) -> Result<Option<(HighWater, Timestamp)>, StoreError> {
        let mut last = self.store.last()?;
        let mut notes = self.notes.lock();
        if notes.plant.is(Bug::TimeNotWritten) {
            last = last.map(|(high_water, _)| (high_water, Timestamp::default()));
        }
        notes.read_at = Some(last.map(|(_, at)| at).unwrap_or_default());
        Ok(last)
    }

    fn last_audit(&mut self) -> Result<u64, StoreError> {
        self.store.last_audit()
    }

    fn load(&mut self, into: &mut Restore) -> Result<(), StoreError> {
        self.store.load(into)
    }

    fn commit(&mut self, group: &Group<'_>) -> Result<(), StoreError> {
        let mut notes = self.notes.lock();
        let changes: Vec<_> =
            group.changes.iter().cloned().filter_map(|change| notes.plant.change(change)).collect();
        let committed = match self.store.commit(&Group { changes: &changes, ..*group }) {
            Err(_) if notes.plant.is(Bug::AnsweredThoughFailed) => Ok(()),
            Err(StoreError::Database(_)) if notes.plant.is(Bug::FailedSyncTriedAgain) => {
                Err(StoreError::Full)
            }
            other => other,
        };
        match &committed {
            Ok(()) => notes.committed_at = group.at,
            Err(StoreError::Full) => notes.fulls += 1,
            Err(_) => {}
        }
        committed
    }

    fn record(&mut self, sequence: Sequence) -> Result<Option<Found>, StoreError> {
        self.store.record(sequence)
    }

    fn last_reason(&mut self, queue: QueueId, sequence: Sequence) -> Result<Option<Arc<str>>, StoreError> {
        self.store.last_reason(queue, sequence)
    }

    fn free_space(&mut self) -> Result<u64, StoreError> {
        Ok(disk::room())
    }

    fn reader(&self) -> Arc<dyn Reader> {
        self.store.reader()
    }

    fn close(self: Box<Self>) -> Result<(), StoreError> {
        self.store.close()
    }
}
