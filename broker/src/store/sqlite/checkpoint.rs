//! Checkpoints beside the writer: moving what is committed from the write-ahead log into the database.
//!
//! The log starts anew only when all of it has been moved and nobody is writing, which under steady load
//! never happens by itself. So a checkpoint copies most of it while the writer goes on, and then holds
//! the writer for the short rest. That bounds the log.

use std::{
    cell::Cell,
    ffi::c_int,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
};

use rusqlite::{Connection, hooks::Wal};

use super::{
    connection::{self, LOG_LIMIT, Place},
    schema::VERSION,
};
use crate::store::StoreError;

/// A count of pages of 4 KiB in the log.
pub(super) type PagesInLog = c_int;

/// From how many on a checkpoint is made: 16 MiB.
pub(super) const LONG_LOG: PagesInLog = 4096;
/// The same where the log can't take much more than that: 2 MiB.
pub(super) const SHORT_LOG: PagesInLog = 512;
/// How many pages are left to the pass that holds the writer.
const REST_PAGES: i64 = 128;
/// How often the pass beside the writer is made again when too much is left.
const PASSES: usize = 4;

thread_local! {
    /// How many pages the log has, by the latest commit of this thread.
    static PAGES_IN_LOG: Cell<PagesInLog> = const { Cell::new(0) };
}

/// Has the length of the log noted at every commit of this connection.
pub(super) fn watch(connection: &Connection) {
    fn note(_: &Wal, pages: PagesInLog) -> rusqlite::Result<()> {
        PAGES_IN_LOG.set(pages);
        Ok(())
    }
    connection.wal_hook(Some(note));
}

/// Moves all of the log and empties its file. Nobody else may use the database.
pub(super) fn truncate(connection: &Connection) -> Result<(), StoreError> {
    Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
}

/// Gives what the log's file has above so many bytes back to the disk, where all of it was moved: it is cut as
/// it begins anew, and that takes a write, however small.
pub(super) fn cut(connection: &Connection, kept: u64) -> Result<(), StoreError> {
    connection::limit_log(connection, kept)?;
    let written = connection.pragma_update(None, "user_version", VERSION);
    let limited = connection::limit_log(connection, LOG_LIMIT);
    written?;
    limited
}

/// Whose turn it is to move the log: SQLite refuses a second connection that would while one does.
#[derive(Clone, Debug, Default)]
pub(super) struct Turns(Arc<Mutex<()>>);

impl Turns {
    /// Moves what can be moved; how many pages are left.
    pub(super) fn pass(&self, connection: &Connection) -> Result<i64, StoreError> {
        let _turn = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
            let (busy, in_log, moved): (bool, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            // Another process is at it: it is not known what is left.
            Ok(if busy { i64::MAX } else { in_log - moved })
        })?;
        Ok(left)
    }
}

/// Makes checkpoints on a connection of its own; `gate` is what the writer holds while it writes.
pub struct Checkpoints {
    connection: Connection,
    gate: Arc<Mutex<()>>,
    turns: Turns,
}

impl Checkpoints {
    pub(super) fn open(place: &Place, gate: Arc<Mutex<()>>, turns: Turns) -> Result<Self, StoreError> {
        Ok(Self { connection: connection::open_beside(place, true)?, gate, turns })
    }

    /// Moves the log into the database: most of it beside the writer, the short rest while he waits.
    ///
    /// # Errors
    /// What SQLite says. What is committed is safe in the log; the next one tries again.
    pub fn make(&self) -> Result<(), StoreError> {
        for _ in 0..PASSES {
            if self.turns.pass(&self.connection)? <= REST_PAGES {
                break;
            }
        }
        let _held = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        let left = self.turns.pass(&self.connection)?;
        if left > 0 {
            tracing::debug!(pages = left, "a long read keeps the write-ahead log from starting anew");
        }
        Ok(())
    }
}

/// The thread that makes checkpoints.
pub(super) struct Checkpointer {
    wanted: SyncSender<()>,
    /// Whether it was told that the thread has ended by itself.
    told_of_end: Cell<bool>,
    thread: JoinHandle<()>,
}

impl Checkpointer {
    /// Starts it.
    pub(super) fn start(checkpoints: Checkpoints) -> Result<Self, StoreError> {
        let (wanted, wishes) = sync_channel(1);
        let work = move || run(&checkpoints, &wishes);
        let thread = thread::Builder::new().name("checkpoints".to_owned()).spawn(work);
        let failed = |source| StoreError::Files { what: "can't start a thread".to_owned(), source };
        Ok(Self { wanted, told_of_end: Cell::new(false), thread: thread.map_err(failed)? })
    }

    /// Asks for a checkpoint when the log has so many pages. Call it on the writer's thread.
    pub(super) fn consider(&self, from: PagesInLog) {
        if PAGES_IN_LOG.get() < from {
            return;
        }
        let ended = matches!(self.wanted.try_send(()), Err(TrySendError::Disconnected(())));
        if ended && !self.told_of_end.replace(true) {
            tracing::error!("the thread that makes checkpoints has ended: the write-ahead log grows");
        }
    }

    /// Waits for a checkpoint that is under way, and ends.
    pub(super) fn stop(self) {
        let Self { wanted, thread, .. } = self;
        drop(wanted);
        if thread.join().is_err() {
            tracing::error!("the thread that makes checkpoints panicked");
        }
    }
}

fn run(checkpoints: &Checkpoints, wishes: &Receiver<()>) {
    let mut log = Log::default();
    while wishes.recv().is_ok() {
        match log.note(checkpoints.make().err().map(|error| error.to_string())) {
            Some(News::Fails(error)) => tracing::error!(error, "checkpoints fail: the write-ahead log grows"),
            Some(News::Works) => tracing::info!("checkpoints work again"),
            None => {}
        }
    }
}

/// What was said of checkpoints: after each commit one is tried, so how it fails is told once.
#[derive(Debug, Default)]
struct Log {
    failure: Option<String>,
}

/// What is worth a line.
#[derive(Debug, PartialEq, Eq)]
enum News {
    Fails(String),
    Works,
}

impl Log {
    /// One was tried, and failed or did not.
    fn note(&mut self, failure: Option<String>) -> Option<News> {
        if self.failure == failure {
            return None;
        }
        self.failure.clone_from(&failure);
        Some(failure.map_or(News::Works, News::Fails))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    thread_local! {
        static BESIDE: Cell<Option<Connection>> = const { Cell::new(None) };
        static LEFT: Cell<Option<i64>> = const { Cell::new(None) };
    }

    fn open(path: &Path) -> Connection {
        let connection = Connection::open(path).unwrap();
        connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(())).unwrap();
        connection
    }

    #[test]
    fn a_pass_while_another_is_under_way_tells_that_not_all_is_moved() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("database");
        let (writer, reader) = (open(&path), open(&path));
        writer.execute_batch("CREATE TABLE t (n)").unwrap();
        reader.execute_batch("BEGIN; SELECT * FROM t").unwrap();
        writer.execute_batch("INSERT INTO t VALUES (1)").unwrap();
        BESIDE.set(Some(open(&path)));
        // Called while the pass under way waits for the reader.
        let pass_beside = |_| {
            LEFT.set(BESIDE.take().map(|beside| Turns::default().pass(&beside).unwrap()));
            false
        };
        writer.busy_handler(Some(pass_beside)).unwrap();
        writer.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())).unwrap();
        assert_eq!(LEFT.get(), Some(i64::MAX));
    }

    #[test]
    fn how_checkpoints_fail_is_told_once_until_it_changes() {
        let mut log = Log::default();
        let mut note = |failure: Option<&str>| log.note(failure.map(str::to_owned));
        let fails = |error: &str| Some(News::Fails(error.to_owned()));
        assert_eq!(note(None), None);
        assert_eq!([note(Some("i/o")), note(Some("i/o"))], [fails("i/o"), None]);
        assert_eq!([note(Some("full")), note(Some("full"))], [fails("full"), None]);
        assert_eq!([note(None), note(None)], [Some(News::Works), None]);
        assert_eq!(note(Some("full")), fails("full"));
    }
}
