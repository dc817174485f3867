//! How connections to the database are opened and set up.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::schema::{Tables, VERSION, migrate, tables};
use crate::store::StoreError;

/// When the log starts anew after a burst, what its file has above this goes back to the disk.
pub(super) const LOG_LIMIT: u64 = 64 << 20;

/// Where the database is: its file, and SQLite's file system that it is opened through (`None` for the
/// machine's).
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) path: PathBuf,
    pub(super) vfs: Option<&'static str>,
}

impl Place {
    /// A file of the machine's.
    pub(super) fn of_file(path: &Path) -> Self {
        Self { path: path.to_owned(), vfs: None }
    }

    /// What a database here is said to be.
    fn refused(&self, why: fn(String) -> StoreError) -> StoreError {
        why(self.path.display().to_string())
    }
}

/// Opens the owner's connection, and brings the tables to the present version. A database that has none gets them:
/// it may be one whose making was cut short.
pub(super) fn open(place: &Place) -> Result<Connection, StoreError> {
    let mut connection = connect(place, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    let found = match tables(&connection)? {
        Tables::None => 0,
        Tables::Brokers(found) => not_newer(found)?,
        Tables::Foreign => return Err(place.refused(StoreError::Foreign)),
    };
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    if found < VERSION {
        migrate(&mut connection, found)?;
    }
    Ok(connection)
}

/// Opens one more connection to a database that is open.
pub(super) fn open_beside(place: &Place, writes: bool) -> Result<Connection, StoreError> {
    let access = if writes { OpenFlags::SQLITE_OPEN_READ_WRITE } else { OpenFlags::SQLITE_OPEN_READ_ONLY };
    connect(place, access)
}

/// Opens a broker's database that it may be using, to see it as it is at this moment for as long as the
/// connection lives.
pub(super) fn open_moment(place: &Place) -> Result<Connection, StoreError> {
    Ok(open_at_moment(place)?.0)
}

/// The same of a database whose tables are to be read: they have to be of the present version.
pub(super) fn open_to_look(place: &Place) -> Result<Connection, StoreError> {
    let (connection, found) = open_at_moment(place)?;
    if found < VERSION { Err(StoreError::TooOld { found, known: VERSION }) } else { Ok(connection) }
}

/// The same, and of which version the tables are.
fn open_at_moment(place: &Place) -> Result<(Connection, i64), StoreError> {
    let connection = connect(place, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.execute_batch("BEGIN")?;
    // The first read fixes the moment.
    match tables(&connection)? {
        Tables::None => Err(place.refused(StoreError::Empty)),
        Tables::Brokers(found) => Ok((connection, not_newer(found)?)),
        Tables::Foreign => Err(place.refused(StoreError::Foreign)),
    }
}

fn not_newer(found: i64) -> Result<i64, StoreError> {
    if found > VERSION { Err(StoreError::TooNew { found, known: VERSION }) } else { Ok(found) }
}

/// Each connection is used by one thread at a time, so SQLite's own locks are not needed.
fn connect(place: &Place, access: OpenFlags) -> Result<Connection, StoreError> {
    let (path, flags) = (&place.path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX);
    let connection = match place.vfs {
        Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs)?,
        None => Connection::open_with_flags(path, flags)?,
    };
    // Closing well makes its own checkpoint; after a failure there must be none.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    limit_log(&connection, LOG_LIMIT)?;
    connection.pragma_update(None, "cache_size", -8192)?;
    Ok(connection)
}

/// How many bytes the log's file keeps when this connection starts it anew.
pub(super) fn limit_log(connection: &Connection, bytes: u64) -> Result<(), StoreError> {
    Ok(connection.pragma_update_and_check(None, "journal_size_limit", bytes.cast_signed(), |_| Ok(()))?)
}
