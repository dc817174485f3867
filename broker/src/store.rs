//! What the engine needs of a store, and nothing more. SQLite stands behind it in [`sqlite`]; the folder
//! that it lives in is in [`folder`].

pub mod folder;
pub mod sqlite;
pub mod verify;

use std::{io, path::Path, sync::Arc};

use broker_core::{
    change::{AuditRecord, Change, FailureRecord, HighWater},
    counters::QueueCounters,
    identity::{QueueId, Sequence},
    restore::Restore,
};
use bytes::Bytes;
use units::Timestamp;

/// Is told how much of how much is done.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

/// Where decisions are kept. One thread owns it.
///
/// Obligations: a [`commit`](Self::commit) that returns `Ok` is on disk, synced, whole; one that returns
/// [`StoreError::Full`] left nothing behind, and the store goes on working. After any other error the
/// store is not used again, not even closed: what a failed sync left behind can't be known.
pub trait Store: Send {
    /// The numbers and the time of the last group that was committed; `None` on an empty store.
    ///
    /// # Errors
    /// What [`StoreError`] lists.
    fn last(&mut self) -> Result<Option<(HighWater, Timestamp)>, StoreError>;

    /// The number of the newest item of the audit trail; 0 where there is none.
    ///
    /// # Errors
    /// What [`StoreError`] lists.
    fn last_audit(&mut self) -> Result<u64, StoreError>;

    /// Hands over all that is stored, in the order of kinds that [`Restore`] asks for.
    ///
    /// # Errors
    /// What [`StoreError`] lists.
    fn load(&mut self, into: &mut Restore) -> Result<(), StoreError>;

    /// Writes a group, all or none, and syncs.
    ///
    /// # Errors
    /// What [`StoreError`] lists.
    fn commit(&mut self, group: &Group<'_>) -> Result<(), StoreError>;

    /// The record of a committed message; `None` when it is gone.
    ///
    /// # Errors
    /// What [`StoreError`] lists.
    fn record(&mut self, sequence: Sequence) -> Result<Option<Found>, StoreError>;

    /// Why a copy last failed, as far as it is committed; `None` where no reason was given.
    ///
    /// # Errors
    /// What [`StoreError`] lists.
    fn last_reason(&mut self, queue: QueueId, sequence: Sequence) -> Result<Option<Arc<str>>, StoreError>;

    /// How many bytes more can be stored: what the disk has free, and what is free in the store's own files.
    ///
    /// # Errors
    /// What [`StoreError`] lists.
    fn free_space(&mut self) -> Result<u64, StoreError>;

    /// There is too little of it: what the store's files can do without goes back to the disk, but for
    /// what acks need of it.
    ///
    /// # Errors
    /// What [`StoreError`] lists but [`StoreError::Full`].
    fn give_back(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Where its files are, for the log.
    fn folder(&self) -> Option<&Path> {
        None
    }

    /// A reader of the same store, to be used by other threads.
    fn reader(&self) -> Arc<dyn Reader>;

    /// Ends in good order: what is committed is moved to where the next start finds it fastest.
    ///
    /// # Errors
    /// What [`StoreError`] lists. Nothing that was committed is lost by it.
    fn close(self: Box<Self>) -> Result<(), StoreError>;
}

/// Reads of committed data beside the owner of the store.
pub trait Reader: Send + Sync {
    /// The records of these messages; `None` for those that are gone.
    ///
    /// # Errors
    /// What [`StoreError`] lists.
    fn records(&self, sequences: &[Sequence]) -> Result<Vec<Option<Found>>, StoreError>;

    /// The failures of one copy, oldest first.
    ///
    /// # Errors
    /// What [`StoreError`] lists.
    fn failures(&self, queue: QueueId, sequence: Sequence) -> Result<Vec<FailureRecord>, StoreError>;

    /// The latest failure of each of these copies.
    ///
    /// # Errors
    /// What [`StoreError`] lists.
    fn last_failures(
        &self,
        queue: QueueId,
        sequences: &[Sequence],
    ) -> Result<Vec<Option<FailureRecord>>, StoreError>;

    /// What was done by hand, newest first, those before a number.
    ///
    /// # Errors
    /// What [`StoreError`] lists.
    fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditRecord>, StoreError>;
}

/// A stored record as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// As it was written.
    Whole(Bytes),
    /// Not as it was written: what is left of it. It must not be handed out.
    Damaged(Bytes),
}

/// What one commit writes.
#[derive(Clone, Copy, Debug)]
pub struct Group<'a> {
    /// The changes, in the order in which they were made.
    pub changes: &'a [Change],
    /// The counters of the queues whose counters changed, each once.
    pub counters: &'a [(QueueId, QueueCounters)],
    /// The numbers as they are after the changes.
    pub high_water: HighWater,
    /// The time of the group.
    pub at: Timestamp,
}

/// Why the store failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No room on the disk. Nothing was written; the store can be used on.
    #[error("no room on the disk")]
    Full,
    /// The data folder is used by another process.
    #[error("the data folder {0} is in use by another process")]
    InUse(String),
    /// A newer version of this program wrote the data.
    #[error(
        "the data is of schema version {found}, newer than the {known} that this program knows: use the newer program"
    )]
    TooNew {
        /// The version found.
        found: i64,
        /// The newest that is known here.
        known: i64,
    },
    /// An older version of this program wrote the data, and it was to be read only.
    #[error(
        "the data is of schema version {found}, and only {known} can be looked at: starting the broker on it brings it up"
    )]
    TooOld {
        /// The version found.
        found: i64,
        /// The one that is known here.
        known: i64,
    },
    /// It is a database in which nothing is, with its path.
    #[error("{0} is an empty database: there is no broker's data in it")]
    Empty(String),
    /// It is a database with tables that no broker made, with its path.
    #[error("{0} is another program's database: there is no broker's data in it")]
    Foreign(String),
    /// What was read can't have been written by this program.
    #[error("stored data is damaged: {0}")]
    Damaged(String),
    /// The store could not do it, for good.
    #[error("the store failed: {0}")]
    Failed(String),
    /// SQLite failed.
    #[error("the database failed: {0}")]
    Database(rusqlite::Error),
    /// The file system failed.
    #[error("{what}: {source}")]
    Files {
        /// What was to be done, with the path.
        what: String,
        /// What the system said.
        source: io::Error,
    },
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        // Where the index of the write-ahead log can't grow, SQLite does not say "full".
        let no_room = |failure: &rusqlite::ffi::Error| {
            failure.code == rusqlite::ErrorCode::DiskFull
                || failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE
        };
        if error.sqlite_error().is_some_and(no_room) { Self::Full } else { Self::Database(error) }
    }
}
