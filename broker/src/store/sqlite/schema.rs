//! The tables, their versions, and how a connection is set up.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use crate::store::StoreError;

/// The tables as version 1 has them. Times are milliseconds since 1970; numbers above 2^63 - 1 are
/// stored as negative ones. Of a message's row only what is read with its record comes after it, so that a
/// start need not read large ones.
const VERSION_1: &str = "
    -- The numbers that come next, and the time of the last group.
    CREATE TABLE meta (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        next_sequence INTEGER NOT NULL,
        next_lease INTEGER NOT NULL,
        next_destination INTEGER NOT NULL,
        at INTEGER NOT NULL
    );
    CREATE TABLE queues (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        settings TEXT NOT NULL
    );
    -- Apart from the queues, because they change with nearly every group.
    CREATE TABLE counters (
        queue INTEGER PRIMARY KEY,
        totals BLOB NOT NULL
    );
    CREATE TABLE topics (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        settings TEXT NOT NULL
    );
    CREATE TABLE subscriptions (
        topic INTEGER NOT NULL,
        queue INTEGER NOT NULL,
        on_full INTEGER NOT NULL,
        dropped INTEGER NOT NULL,
        PRIMARY KEY (topic, queue)
    ) WITHOUT ROWID;
    CREATE TABLE messages (
        sequence INTEGER PRIMARY KEY,
        whole BLOB NOT NULL,
        id INTEGER NOT NULL,
        size INTEGER NOT NULL,
        published_at INTEGER NOT NULL,
        key TEXT,
        placements BLOB NOT NULL,
        record BLOB NOT NULL
    );
    -- Only copies of which there is something special to say.
    CREATE TABLE copies (
        sequence INTEGER NOT NULL,
        queue INTEGER NOT NULL,
        state INTEGER NOT NULL, -- 0 gone, 1 waiting, 2 dead
        state_at INTEGER NOT NULL, -- when it is ready, or since when it is dead
        position_at INTEGER NOT NULL,
        expires_at INTEGER,
        ttl INTEGER, -- milliseconds
        delivery_count INTEGER NOT NULL,
        failures INTEGER NOT NULL,
        redrive_count INTEGER NOT NULL,
        first_delivered_at INTEGER,
        first_failed_at INTEGER,
        last_failed_at INTEGER,
        ended_lease INTEGER,
        ended_by_nack INTEGER NOT NULL,
        PRIMARY KEY (sequence, queue)
    ) WITHOUT ROWID;
    CREATE TABLE failures (
        sequence INTEGER NOT NULL,
        queue INTEGER NOT NULL,
        number INTEGER NOT NULL,
        delivery_count INTEGER NOT NULL,
        delivered_at INTEGER,
        ended_at INTEGER NOT NULL,
        consumer TEXT,
        outcome INTEGER NOT NULL, -- 0 nacked, 1 lease expired, 2 dead-lettered
        reason TEXT,
        PRIMARY KEY (sequence, queue, number)
    ) WITHOUT ROWID;
    CREATE TABLE leases (
        id INTEGER PRIMARY KEY,
        queue INTEGER NOT NULL,
        receive_id TEXT,
        consumer TEXT,
        leased_at INTEGER NOT NULL,
        length INTEGER NOT NULL, -- milliseconds
        sequences BLOB NOT NULL
    );
    -- One row for all the ids that one group published to one destination.
    CREATE TABLE remembered_ids (
        destination INTEGER NOT NULL,
        number INTEGER NOT NULL,
        at INTEGER NOT NULL,
        ids BLOB NOT NULL,
        PRIMARY KEY (destination, number)
    ) WITHOUT ROWID;
";

/// What version 2 adds: checksums of messages, filters and beginnings of subscriptions, copies that came by a
/// replay, paced redrives, and the audit trail.
const VERSION_2: &str = "
    ALTER TABLE messages ADD COLUMN checksum INTEGER; -- none of what version 1 wrote
    ALTER TABLE subscriptions ADD COLUMN filter TEXT; -- JSON
    ALTER TABLE subscriptions ADD COLUMN start TEXT NOT NULL DEFAULT 'new';
    ALTER TABLE copies ADD COLUMN replayed INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE redrives (
        id INTEGER PRIMARY KEY,
        from_queue TEXT NOT NULL,
        to_queue TEXT NOT NULL,
        per_second INTEGER NOT NULL,
        started_at INTEGER NOT NULL,
        sequences BLOB NOT NULL
    );
    -- Apart from the redrives, because it changes often and their sequences may be many.
    CREATE TABLE redrive_progress (
        redrive INTEGER PRIMARY KEY,
        passed INTEGER NOT NULL,
        redriven INTEGER NOT NULL,
        ended_at INTEGER
    );
    CREATE TABLE audit (
        number INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        who TEXT NOT NULL,
        action TEXT NOT NULL,
        queue TEXT,
        topic TEXT,
        to_queue TEXT,
        count INTEGER NOT NULL,
        request TEXT -- JSON
    );
";

/// What version 3 adds: how many dead letters a paced redrive began with; the list of one that ended is gone.
const VERSION_3: &str = "
    ALTER TABLE redrives ADD COLUMN total INTEGER NOT NULL DEFAULT 0;
    UPDATE redrives SET total = length(sequences) / 8;
    UPDATE redrives SET sequences = x''
        WHERE id IN (SELECT redrive FROM redrive_progress WHERE ended_at IS NOT NULL);
";

/// What version 4 adds: where a failure happened, which may be another queue than the one that it is filed under,
/// and whether it made the message a dead letter, which is known of the latest of each dead letter.
const VERSION_4: &str = "
    ALTER TABLE failures ADD COLUMN failed_in INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE failures ADD COLUMN fatal INTEGER NOT NULL DEFAULT 0;
    UPDATE failures SET failed_in = queue, fatal = outcome = 2 OR (sequence, queue, number) IN
        (SELECT sequence, queue, failures FROM copies WHERE state = 2);
";

/// What leads from each version to the next, from none on.
const STEPS: [&str; 4] = [VERSION_1, VERSION_2, VERSION_3, VERSION_4];

/// The version that this program writes.
const VERSION: i64 = STEPS.len() as i64;

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
}

/// Opens the owner's connection, and brings the tables to the present version.
pub(super) fn open(place: &Place) -> Result<Connection, StoreError> {
    let mut connection = connect(place, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    let found = version(&connection)?;
    if found > VERSION {
        return Err(StoreError::TooNew { found, known: VERSION });
    }
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    if found < VERSION {
        migrate(&mut connection, found)?;
    }
    Ok(connection)
}

/// Takes all steps that are missing, or none.
fn migrate(connection: &mut Connection, found: i64) -> Result<(), StoreError> {
    let transaction = connection.transaction()?;
    for step in STEPS.iter().skip(usize::try_from(found).unwrap_or_default()) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    Ok(transaction.commit()?)
}

/// Opens one more connection to a database that is open.
pub(super) fn open_beside(place: &Place, writes: bool) -> Result<Connection, StoreError> {
    let access = if writes { OpenFlags::SQLITE_OPEN_READ_WRITE } else { OpenFlags::SQLITE_OPEN_READ_ONLY };
    connect(place, access)
}

/// Opens a database that a broker may be using, to see it as it is at this moment for as long as the
/// connection lives.
pub(super) fn open_moment(path: &Path) -> Result<Connection, StoreError> {
    let connection = connect(&Place::of_file(path), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.execute_batch("BEGIN")?;
    // The first read fixes the moment.
    let found = version(&connection)?;
    if found > VERSION { Err(StoreError::TooNew { found, known: VERSION }) } else { Ok(connection) }
}

/// The same of a database whose tables are to be read: they have to be of the present version.
pub(super) fn open_to_look(path: &Path) -> Result<Connection, StoreError> {
    let connection = open_moment(path)?;
    let found = version(&connection)?;
    if found < VERSION { Err(StoreError::TooOld { found, known: VERSION }) } else { Ok(connection) }
}

fn version(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
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
    // When the log starts anew after a burst, what is above this goes back to the file system.
    connection.pragma_update_and_check(None, "journal_size_limit", 64 << 20, |_| Ok(()))?;
    connection.pragma_update(None, "cache_size", -8192)?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_an_older_version_are_brought_up_to_date_with_what_is_in_them() {
        let (_folder, place) = left_by(1, "INSERT INTO subscriptions VALUES (1, 2, 0, 7)");
        for _ in 0..2 {
            let connection = open(&place).unwrap();
            let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
            assert_eq!(version, VERSION);
            let sql = "SELECT dropped, filter, start FROM subscriptions";
            let row: (u32, Option<String>, String) =
                connection.query_row(sql, [], |row| row.try_into()).unwrap();
            assert_eq!(row, (7, None, "new".to_owned()));
        }
    }

    /// A database as a program of an earlier version left it.
    fn left_by(version: usize, rows: &str) -> (tempfile::TempDir, Place) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("broker.sqlite");
        let old = Connection::open(&path).unwrap();
        STEPS[..version].iter().for_each(|step| old.execute_batch(step).unwrap());
        old.execute_batch(rows).unwrap();
        old.pragma_update(None, "user_version", version as i64).unwrap();
        (folder, Place { path, vfs: None })
    }

    #[test]
    fn the_last_failure_of_a_dead_letter_of_version_3_is_the_one_that_it_died_of() {
        let rows = "
            INSERT INTO copies VALUES
                (1, 5, 2, 0, 0, NULL, NULL, 2, 2, 0, NULL, NULL, NULL, NULL, 0, 0),
                (2, 5, 1, 0, 0, NULL, NULL, 1, 1, 0, NULL, NULL, NULL, NULL, 0, 0);
            INSERT INTO failures VALUES
                (1, 5, 1, 1, NULL, 0, NULL, 0, NULL),
                (1, 5, 2, 2, NULL, 0, NULL, 0, NULL),
                (2, 5, 1, 1, NULL, 0, NULL, 0, NULL);
        ";
        let (_folder, place) = left_by(3, rows);
        let connection = open(&place).unwrap();
        let mut statement = connection.prepare("SELECT fatal, failed_in FROM failures").unwrap();
        let read = statement.query_map([], |row| row.try_into()).unwrap();
        let read: Vec<(bool, u32)> = read.collect::<Result<_, _>>().unwrap();
        assert_eq!(read, [(false, 5), (true, 5), (false, 5)]);
    }

    #[test]
    fn a_paced_redrive_of_version_2_knows_how_many_it_began_with_and_its_list_goes_where_it_ended() {
        let redrives = "
            INSERT INTO redrives VALUES (1, 'a', 'a', 1, 0, zeroblob(24)), (2, 'a', 'a', 1, 0, zeroblob(16));
            INSERT INTO redrive_progress VALUES (1, 1, 1, 7), (2, 1, 1, NULL);
        ";
        let (_folder, place) = left_by(2, redrives);
        let connection = open(&place).unwrap();
        let row = |id: u32| -> (u32, u32) {
            let sql = "SELECT total, length(sequences) FROM redrives WHERE id = ?1";
            connection.query_row(sql, [id], |row| row.try_into()).unwrap()
        };
        assert_eq!((row(1), row(2)), ((3, 0), (2, 16)));
    }
}
