//! The audit trail: what was done by hand, the newest so many.

use broker_core::change::AuditRecord;
use rusqlite::{Connection, Row, params};

use super::{
    load::{number as read_number, time as read_time},
    write::{number, time},
};
use crate::store::StoreError;

/// How many records are kept.
const KEPT: i64 = 100_000;

pub(super) fn put(connection: &Connection, record: &AuditRecord) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO audit VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    connection.prepare_cached(sql)?.execute(params![
        number(record.number),
        time(record.at),
        &*record.who,
        &*record.action,
        record.queue.as_deref(),
        record.topic.as_deref(),
        record.to.as_deref(),
        number(record.count),
        record.request.as_deref(),
    ])?;
    let sql = "DELETE FROM audit WHERE number <= ?1";
    connection.prepare_cached(sql)?.execute([number(record.number) - KEPT])?;
    Ok(())
}

/// The number of the newest; 0 where there is none.
pub(super) fn last(connection: &Connection) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached("SELECT ifnull(max(number), 0) FROM audit")?;
    Ok(statement.query_row([], |row| row.get::<_, i64>(0))?.cast_unsigned())
}

/// Newest first, those before a number.
pub(super) fn page(
    connection: &Connection,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<AuditRecord>, StoreError> {
    let sql = "SELECT * FROM audit WHERE number < ?1 ORDER BY number DESC LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let before = before.map_or(i64::MAX, |before| i64::try_from(before).unwrap_or(i64::MAX));
    let mut rows = statement.query((before, i64::try_from(limit).unwrap_or(i64::MAX)))?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(record(row)?);
    }
    Ok(records)
}

fn record(row: &Row<'_>) -> Result<AuditRecord, StoreError> {
    Ok(AuditRecord {
        number: read_number(row, 0)?,
        at: read_time(row, 1)?,
        who: row.get(2)?,
        action: row.get(3)?,
        queue: row.get(4)?,
        topic: row.get(5)?,
        to: row.get(6)?,
        count: read_number(row, 7)?,
        request: row.get(8)?,
    })
}
