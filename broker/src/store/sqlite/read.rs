//! Reads of what is committed: records and failures, by the owner and beside it.

use std::sync::{Arc, Mutex, PoisonError};

use broker_core::{
    change::{AuditRecord, FailureOutcome, FailureRecord},
    identity::{QueueId, Sequence},
};
use bytes::Bytes;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Row};

use super::{
    audit,
    checksum::MessageRow,
    connection::{self, Place},
    load::{optional_time, time},
    write::number,
};
use crate::store::{Found, Reader, StoreError};

/// The record of one message.
pub(super) fn record(connection: &Connection, sequence: Sequence) -> Result<Option<Found>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT * FROM messages WHERE sequence = ?1")?;
    let read = statement.query_row([number(sequence.0)], |row| Ok(message_row(row)?.found(row.get(8)?)));
    match read.optional() {
        Err(error) if is_damage(&error) => Ok(Some(Found::Damaged(Bytes::new()))),
        read => Ok(read?),
    }
}

/// The columns of a row of `messages` but its checksum, which is the ninth.
pub(super) fn message_row<'a>(row: &'a Row<'_>) -> rusqlite::Result<MessageRow<'a>> {
    Ok(MessageRow {
        sequence: row.get(0)?,
        whole: row.get_ref(1)?.as_blob()?,
        id: row.get(2)?,
        size: row.get(3)?,
        published_at: row.get(4)?,
        key: row.get_ref(5)?.as_str_or_null()?,
        placements: row.get_ref(6)?.as_blob()?,
        record: row.get_ref(7)?.as_blob()?,
    })
}

/// Whether what was read can't be what was written, as opposed to a disk that does not answer.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => {
            matches!(failure.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        }
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::Utf8Error(..) => true,
        _ => false,
    }
}

/// Reads on connections of its own, which are opened as they are needed and used again.
pub(super) struct SqliteReader {
    place: Place,
    idle: Mutex<Idle>,
}

enum Idle {
    Open(Vec<Connection>),
    Closed,
}

impl SqliteReader {
    pub(super) fn new(place: Place) -> Self {
        Self { place, idle: Mutex::new(Idle::Open(Vec::new())) }
    }

    /// Closes the connections; those in use are closed when their read ends.
    pub(super) fn close(&self) {
        *self.idle.lock().unwrap_or_else(PoisonError::into_inner) = Idle::Closed;
    }

    fn with<T>(&self, read: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let connection = match self.take()? {
            Some(connection) => connection,
            None => connection::open_beside(&self.place, false)?,
        };
        let answer = read(&connection)?;
        if let Idle::Open(connections) = &mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner) {
            connections.push(connection);
        }
        Ok(answer)
    }

    fn take(&self) -> Result<Option<Connection>, StoreError> {
        match &mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner) {
            Idle::Open(connections) => Ok(connections.pop()),
            Idle::Closed => Err(StoreError::Failed("it is closed".to_owned())),
        }
    }
}

impl Reader for SqliteReader {
    fn records(&self, sequences: &[Sequence]) -> Result<Vec<Option<Found>>, StoreError> {
        self.with(|connection| sequences.iter().map(|sequence| record(connection, *sequence)).collect())
    }

    fn failures(&self, queue: QueueId, sequence: Sequence) -> Result<Vec<FailureRecord>, StoreError> {
        self.with(|connection| failures(connection, queue, sequence))
    }

    fn last_failures(
        &self,
        queue: QueueId,
        sequences: &[Sequence],
    ) -> Result<Vec<Option<FailureRecord>>, StoreError> {
        self.with(|connection| {
            sequences.iter().map(|sequence| last_failure(connection, queue, *sequence)).collect()
        })
    }

    fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditRecord>, StoreError> {
        self.with(|connection| audit::page(connection, before, limit))
    }
}

fn failures(
    connection: &Connection,
    queue: QueueId,
    sequence: Sequence,
) -> Result<Vec<FailureRecord>, StoreError> {
    let sql = "SELECT * FROM failures WHERE sequence = ?1 AND queue = ?2 ORDER BY number";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query((number(sequence.0), queue.0))?;
    let mut failures = Vec::new();
    while let Some(row) = rows.next()? {
        failures.push(failure(row)?);
    }
    Ok(failures)
}

fn last_failure(
    connection: &Connection,
    queue: QueueId,
    sequence: Sequence,
) -> Result<Option<FailureRecord>, StoreError> {
    let sql = "SELECT * FROM failures WHERE sequence = ?1 AND queue = ?2 ORDER BY number DESC LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query((number(sequence.0), queue.0))?;
    rows.next()?.map(failure).transpose()
}

fn failure(row: &Row<'_>) -> Result<FailureRecord, StoreError> {
    let outcome = match row.get(7)? {
        0 => FailureOutcome::Nacked,
        1 => FailureOutcome::LeaseExpired,
        2 => FailureOutcome::DeadLettered,
        other => return Err(StoreError::Damaged(format!("a failure's outcome is {other}"))),
    };
    let queue = row.get(1)?;
    Ok(FailureRecord {
        sequence: Sequence(row.get::<_, i64>(0)?.cast_unsigned()),
        queue: QueueId(queue),
        number: row.get(2)?,
        delivery_count: row.get(3)?,
        delivered_at: optional_time(row, 4)?,
        ended_at: time(row, 5)?,
        consumer: row.get::<_, Option<Arc<str>>>(6)?,
        outcome,
        reason: row.get::<_, Option<Arc<str>>>(8)?,
        failed_in: QueueId(row.get::<_, Option<u32>>(9)?.unwrap_or(queue)),
        fatal: row.get(10)?,
    })
}
