//! The store in SQLite: one database file in the data folder, in WAL mode, synced at every commit.
//!
//! The tables stand in [`schema`]; the binary columns in [`layout`].

mod audit;
mod checkpoint;
mod checksum;
mod connection;
mod copy;
mod file_system;
mod layout;
mod load;
mod read;
mod redrives;
mod remembered;
mod renumber;
mod schema;
mod settings;
mod space;
mod verify;
mod write;

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use broker_core::{
    change::HighWater,
    identity::{QueueId, Sequence},
    restore::Restore,
};
use rusqlite::{Connection, OptionalExtension as _};
use units::Timestamp;

pub use self::{
    checkpoint::Checkpoints,
    copy::copy,
    file_system::FileSystem,
    renumber::renumber,
    verify::{verify, verify_on},
};
use self::{
    checkpoint::{Checkpointer, LONG_LOG, PagesInLog, SHORT_LOG, Turns},
    connection::Place,
    read::SqliteReader,
    remembered::RememberedRows,
    space::{LOG_KEPT, PAGE, Space},
};
use super::{Found, Group, Reader, Store, StoreError, folder::DataFolder};

/// The database's file in the data folder.
pub(crate) const FILE: &str = "broker.sqlite";
/// Its write-ahead log, while there is one.
pub(crate) const LOG: &str = "broker.sqlite-wal";
/// What SQLite keeps of the log in shared memory.
pub(crate) const LOG_INDEX: &str = "broker.sqlite-shm";

/// Whether there is a database in a folder.
#[must_use]
pub fn is_in(folder: &Path) -> bool {
    folder.join(FILE).is_file()
}

/// Moves all that a process which was killed left in the log into the database. Nobody else may use it.
///
/// # Errors
/// What SQLite says.
pub(crate) fn settle(folder: &Path) -> Result<(), StoreError> {
    let connection = connection::open_beside(&Place::of_file(&folder.join(FILE)), true)?;
    checkpoint::truncate(&connection)
}

/// The store.
pub struct SqliteStore {
    connection: Connection,
    remembered: RememberedRows,
    /// `None` where somebody else makes checkpoints.
    checkpointer: Option<Checkpointer>,
    reader: Arc<SqliteReader>,
    /// Held while a group is written; the checkpointer takes it for its last, short pass.
    gate: Arc<Mutex<()>>,
    turns: Turns,
    folder: DataFolder,
}

impl SqliteStore {
    /// Opens the database of a data folder, and makes it where it is missing.
    ///
    /// # Errors
    /// [`StoreError::TooNew`] when a newer version wrote it, [`StoreError::Foreign`] when another program did, else what SQLite says.
    pub fn open(folder: DataFolder) -> Result<Self, StoreError> {
        let (mut store, checkpoints) = Self::open_by_hand(folder, FileSystem::MACHINE)?;
        store.checkpointer = Some(Checkpointer::start(checkpoints)?);
        Ok(store)
    }

    /// The same without a thread of its own: whoever opens it makes the checkpoints. Its files are in the
    /// folder as that file system has it.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_by_hand(folder: DataFolder, files: FileSystem) -> Result<(Self, Checkpoints), StoreError> {
        let place = Place { path: folder.path().join(FILE), vfs: files.vfs };
        // After a failed sync the system's cache shows what the disk may not hold, and will not write it by
        // itself. What is read from the log now is answered for.
        let log = folder.path().join(LOG);
        let failed = |what: String| |source| StoreError::Files { what, source };
        (files.write_again)(&log).map_err(failed(format!("can't write {} again", log.display())))?;
        (files.make)(&place.path).map_err(failed(format!("can't make {}", place.path.display())))?;
        let connection = connection::open(&place)?;
        checkpoint::watch(&connection);
        let gate = Arc::new(Mutex::new(()));
        let turns = Turns::default();
        let checkpoints = Checkpoints::open(&place, Arc::clone(&gate), turns.clone())?;
        let store = Self {
            checkpointer: None,
            reader: Arc::new(SqliteReader::new(place)),
            remembered: RememberedRows::default(),
            connection,
            gate,
            turns,
            folder,
        };
        Ok((store, checkpoints))
    }

    /// Lets the database grow to so many pages of 4 KiB at the most; what does not fit is
    /// [`StoreError::Full`].
    ///
    /// # Errors
    /// What SQLite says.
    pub fn limit_pages(&self, pages: u32) -> Result<(), StoreError> {
        Ok(self.connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?)
    }

    /// How many bytes more can be stored where the disk has that many free. Where that is little, the log is
    /// moved early.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn room_beside(&self, free: u64) -> Result<u64, StoreError> {
        let unused: u32 = self.connection.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
        let whole = u64::from(self.pages()?) * PAGE;
        let space = Space {
            free,
            // A log that does not exist yet has taken nothing.
            log: self.length(LOG).unwrap_or(0),
            database: self.length(FILE).unwrap_or(whole),
            whole,
            unused: u64::from(unused) * PAGE,
        };
        if space.is_tight() {
            self.shorten_log(SHORT_LOG);
        }
        Ok(space.room())
    }

    fn length(&self, file: &str) -> Option<u64> {
        fs::metadata(self.folder.path().join(file)).ok().map(|file| file.len())
    }

    /// Has the log moved beside the writer where it has so many pages.
    fn shorten_log(&self, from: PagesInLog) {
        if let Some(checkpointer) = &self.checkpointer {
            checkpointer.consider(from);
        }
    }

    /// Moves all of the log, so that the next write begins it anew, if no long read keeps it. The gate is held.
    fn move_log(&self) -> bool {
        self.checkpointer.is_some() && self.turns.pass(&self.connection).is_ok_and(|left| left == 0)
    }

    /// How many pages it takes now.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn pages(&self) -> Result<u32, StoreError> {
        Ok(self.connection.pragma_query_value(None, "page_count", |row| row.get(0))?)
    }
}

impl Store for SqliteStore {
    fn last(&mut self) -> Result<Option<(HighWater, Timestamp)>, StoreError> {
        load::last(&self.connection)
    }

    fn last_audit(&mut self) -> Result<u64, StoreError> {
        audit::last(&self.connection)
    }

    fn load(&mut self, into: &mut Restore) -> Result<(), StoreError> {
        self.remembered = RememberedRows::default();
        load::all(&self.connection, into, &mut self.remembered)
    }

    fn commit(&mut self, group: &Group<'_>) -> Result<(), StoreError> {
        let gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        let mut written = write::group(&self.connection, group, &mut self.remembered);
        // Where the log can't grow, it is not yet long enough for the checkpoints that it begins anew by.
        if matches!(written, Err(StoreError::Full)) && self.move_log() {
            written = write::group(&self.connection, group, &mut self.remembered);
        }
        drop(gate);
        self.shorten_log(LONG_LOG);
        written
    }

    fn record(&mut self, sequence: Sequence) -> Result<Option<Found>, StoreError> {
        read::record(&self.connection, sequence)
    }

    fn last_reason(&mut self, queue: QueueId, sequence: Sequence) -> Result<Option<Arc<str>>, StoreError> {
        const SQL: &str =
            "SELECT reason FROM failures WHERE sequence = ?1 AND queue = ?2 ORDER BY number DESC LIMIT 1";
        let mut statement = self.connection.prepare_cached(SQL)?;
        let reason = statement.query_row((sequence.0.cast_signed(), queue.0), |row| row.get(0)).optional()?;
        Ok(reason.flatten())
    }

    fn free_space(&mut self) -> Result<u64, StoreError> {
        self.room_beside(self.folder.free_space()?)
    }

    fn give_back(&mut self) -> Result<(), StoreError> {
        if self.length(LOG).is_none_or(|log| log <= LOG_KEPT) {
            return Ok(());
        }
        let _gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.move_log() {
            return Ok(());
        }
        match checkpoint::cut(&self.connection, LOG_KEPT) {
            Err(StoreError::Full) => Ok(()),
            cut => cut,
        }
    }

    fn folder(&self) -> Option<&Path> {
        Some(self.folder.path())
    }

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::clone(&self.reader) as Arc<dyn Reader>
    }

    fn close(self: Box<Self>) -> Result<(), StoreError> {
        let Self { connection, checkpointer, reader, folder, .. } = *self;
        if let Some(checkpointer) = checkpointer {
            checkpointer.stop();
        }
        reader.close();
        checkpoint::truncate(&connection)?;
        connection.close().map_err(|(_, error)| error)?;
        drop(folder);
        Ok(())
    }
}
