//! The tables, and their versions.

use rusqlite::Connection;

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

/// What version 4 adds: in which queue a failure happened, where that is not the one that it is filed under, and
/// whether it made the message a dead letter. Ids that are remembered for a queue or topic which is gone go too:
/// those that were published in the group that removed it stayed.
const VERSION_4: &str = "
    ALTER TABLE failures ADD COLUMN failed_in INTEGER;
    ALTER TABLE failures ADD COLUMN fatal INTEGER NOT NULL DEFAULT 0;
    DELETE FROM remembered_ids
        WHERE destination NOT IN (SELECT id FROM queues UNION ALL SELECT id FROM topics);
";

/// What leads from each version to the next, from none on.
const STEPS: [&str; 4] = [VERSION_1, VERSION_2, VERSION_3, VERSION_4];

/// The version that this program writes.
pub(super) const VERSION: i64 = STEPS.len() as i64;

/// Takes all steps that are missing, or none.
pub(super) fn migrate(connection: &mut Connection, found: i64) -> Result<(), StoreError> {
    let transaction = connection.transaction()?;
    for step in STEPS.iter().skip(usize::try_from(found).unwrap_or_default()) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    Ok(transaction.commit()?)
}

/// Whose tables a database has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tables {
    /// There are none.
    None,
    /// A broker's, of that version.
    Brokers(i64),
    /// Those of another program.
    Foreign,
}

/// Whose tables are there. Other programs number their versions too, and have tables called `meta`: a broker's is
/// known by its columns.
pub(super) fn tables(connection: &Connection) -> Result<Tables, StoreError> {
    const IS_BROKERS: &str = "SELECT count(*) = 3 FROM pragma_table_info('meta')
        WHERE name IN ('next_sequence', 'next_lease', 'next_destination')";
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let is_brokers = connection.query_row(IS_BROKERS, [], |row| row.get(0))?;
    let is_empty = connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(match (version, is_brokers, is_empty) {
        (1.., true, _) => Tables::Brokers(version),
        (_, _, true) => Tables::None,
        _ => Tables::Foreign,
    })
}

#[cfg(test)]
mod tests {
    use super::{
        super::connection::{Place, open},
        *,
    };

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
    fn ids_that_are_remembered_for_what_is_gone_go_with_version_4() {
        let rows = "
            INSERT INTO queues VALUES (1, 'jobs', '{}');
            INSERT INTO topics VALUES (2, 'orders', '{}');
            INSERT INTO remembered_ids VALUES (1, 1, 0, x''), (2, 2, 0, x''), (3, 3, 0, x'');
        ";
        let (_folder, place) = left_by(3, rows);
        let connection = open(&place).unwrap();
        let mut statement = connection.prepare("SELECT destination FROM remembered_ids").unwrap();
        let read = statement.query_map([], |row| row.get(0)).unwrap();
        assert_eq!(read.collect::<Result<Vec<u32>, _>>().unwrap(), [1, 2]);
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
