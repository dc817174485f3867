//! Reading everything but the records at a start, in the order that a core is restored in.

use std::time::Duration;

use broker_core::{
    change::{
        CopyRecord, CopyState, HighWater, LeaseRecord, MessageRecord, QueueRecord, SubscriptionRecord,
        TopicRecord,
    },
    identity::{Identity, LeaseId, Name, QueueId, Sequence, TopicId},
    restore::Restore,
};
use rusqlite::{Connection, Row};
use units::Timestamp;

use super::{layout, redrives, remembered::RememberedRows, settings};
use crate::store::StoreError;

/// The numbers and the time of the last group.
pub(super) fn last(connection: &Connection) -> Result<Option<(HighWater, Timestamp)>, StoreError> {
    let sql = "SELECT next_sequence, next_lease, next_destination, at FROM meta";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let high_water = HighWater {
        next_sequence: number(row, 0)?,
        next_lease: number(row, 1)?,
        next_destination: row.get(2)?,
    };
    Ok(Some((high_water, time(row, 3)?)))
}

/// All records, kind by kind.
pub(super) fn all(
    connection: &Connection,
    into: &mut Restore,
    remembered: &mut RememberedRows,
) -> Result<(), StoreError> {
    queues(connection, into, remembered)?;
    topics(connection, into, remembered)?;
    each(connection, "SELECT * FROM subscriptions", |row| {
        into.subscription(subscription(row)?);
        Ok(())
    })?;
    let sql =
        "SELECT sequence, whole, id, size, published_at, key, placements FROM messages ORDER BY sequence";
    each(connection, sql, |row| {
        into.message(message(row)?);
        Ok(())
    })?;
    each(connection, "SELECT * FROM copies WHERE state <> 0", |row| {
        into.copy(copy(row)?);
        Ok(())
    })?;
    each(connection, "SELECT sequence, queue FROM copies WHERE state = 0", |row| {
        into.copy_gone(Sequence(number(row, 0)?), QueueId(row.get(1)?));
        Ok(())
    })?;
    each(connection, "SELECT * FROM leases ORDER BY id", |row| {
        into.lease(lease(row)?);
        Ok(())
    })?;
    redrives::load(connection, into)?;
    remembered_ids(connection, into, remembered)
}

fn queues(
    connection: &Connection,
    into: &mut Restore,
    remembered: &mut RememberedRows,
) -> Result<(), StoreError> {
    let sql = "SELECT id, name, settings, totals FROM queues LEFT JOIN counters ON queue = id";
    each(connection, sql, |row| {
        let id: u32 = row.get(0)?;
        let settings = settings::read_queue(text(row, 2)?)?;
        let counters = row.get_ref(3)?.as_blob_or_null().map_err(rusqlite::Error::from)?;
        let counters = counters.map(layout::read_counters).transpose()?.unwrap_or_default();
        remembered.settings(id, settings.deduplication_window, settings.max_deduplication_ids);
        into.queue(QueueRecord { id: QueueId(id), name: name(row, 1)?, settings, counters });
        Ok(())
    })
}

fn topics(
    connection: &Connection,
    into: &mut Restore,
    remembered: &mut RememberedRows,
) -> Result<(), StoreError> {
    each(connection, "SELECT id, name, settings FROM topics", |row| {
        let id: u32 = row.get(0)?;
        let settings = settings::read_topic(text(row, 2)?)?;
        remembered.settings(id, settings.deduplication_window, settings.max_deduplication_ids);
        into.topic(TopicRecord { id: TopicId(id), name: name(row, 1)?, settings });
        Ok(())
    })
}

/// Ids by the time they were published; rows of one group have one time.
fn remembered_ids(
    connection: &Connection,
    into: &mut Restore,
    remembered: &mut RememberedRows,
) -> Result<(), StoreError> {
    let sql = "SELECT destination, number, at, ids FROM remembered_ids ORDER BY at, number";
    each(connection, sql, |row| {
        let destination: u32 = row.get(0)?;
        let ids = layout::read_remembered(destination, blob(row, 3)?)?;
        remembered.row(destination, number(row, 1)?, time(row, 2)?, ids.len() as u64);
        ids.into_iter().for_each(|id| into.remembered(id));
        Ok(())
    })
}

fn subscription(row: &Row<'_>) -> Result<SubscriptionRecord, StoreError> {
    Ok(SubscriptionRecord {
        topic: TopicId(row.get(0)?),
        queue: QueueId(row.get(1)?),
        on_full: settings::read_on_full(row.get(2)?)?,
        dropped: number(row, 3)?,
        filter: optional_text(row, 4)?.map(settings::read_filter).transpose()?,
        start: settings::read_start(text(row, 5)?)?,
    })
}

fn message(row: &Row<'_>) -> Result<MessageRecord, StoreError> {
    Ok(MessageRecord {
        sequence: Sequence(number(row, 0)?),
        identity: Identity { whole: layout::read_whole(blob(row, 1)?)?, id: number(row, 2)? },
        size: row.get(3)?,
        published_at: time(row, 4)?,
        key: row.get(5)?,
        placements: layout::read_placements(blob(row, 6)?)?,
    })
}

fn copy(row: &Row<'_>) -> Result<CopyRecord, StoreError> {
    let state_at = time(row, 3)?;
    let state = match row.get(2)? {
        1 => CopyState::Waiting { available_at: state_at },
        2 => CopyState::Dead { since: state_at },
        other => return Err(StoreError::Damaged(format!("a copy's state is {other}"))),
    };
    Ok(CopyRecord {
        sequence: Sequence(number(row, 0)?),
        queue: QueueId(row.get(1)?),
        state,
        position_at: time(row, 4)?,
        expires_at: optional_time(row, 5)?,
        ttl: row.get::<_, Option<i64>>(6)?.map(|millis| Duration::from_millis(millis.cast_unsigned())),
        delivery_count: row.get(7)?,
        failures: row.get(8)?,
        redrive_count: row.get(9)?,
        first_delivered_at: optional_time(row, 10)?,
        first_failed_at: optional_time(row, 11)?,
        last_failed_at: optional_time(row, 12)?,
        ended_lease: row.get::<_, Option<i64>>(13)?.map(|lease| LeaseId(lease.cast_unsigned())),
        ended_by_nack: row.get(14)?,
        replayed: row.get(15)?,
    })
}

fn lease(row: &Row<'_>) -> Result<LeaseRecord, StoreError> {
    Ok(LeaseRecord {
        id: LeaseId(number(row, 0)?),
        queue: QueueId(row.get(1)?),
        receive_id: row.get(2)?,
        consumer: row.get(3)?,
        leased_at: time(row, 4)?,
        length: Duration::from_millis(number(row, 5)?),
        sequences: layout::read_sequences(blob(row, 6)?)?,
    })
}

/// Runs a query and hands over each row.
pub(super) fn each(
    connection: &Connection,
    sql: &str,
    mut take: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        take(row)?;
    }
    Ok(())
}

pub(super) fn number(row: &Row<'_>, column: usize) -> Result<u64, StoreError> {
    Ok(row.get::<_, i64>(column)?.cast_unsigned())
}

pub(super) fn time(row: &Row<'_>, column: usize) -> Result<Timestamp, StoreError> {
    number(row, column).map(Timestamp::from_millis)
}

pub(super) fn optional_time(row: &Row<'_>, column: usize) -> Result<Option<Timestamp>, StoreError> {
    let millis: Option<i64> = row.get(column)?;
    Ok(millis.map(|millis| Timestamp::from_millis(millis.cast_unsigned())))
}

fn text<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a str, StoreError> {
    Ok(row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?)
}

fn optional_text<'a>(row: &'a Row<'_>, column: usize) -> Result<Option<&'a str>, StoreError> {
    Ok(row.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from)?)
}

pub(super) fn blob<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a [u8], StoreError> {
    Ok(row.get_ref(column)?.as_blob().map_err(rusqlite::Error::from)?)
}

pub(super) fn name(row: &Row<'_>, column: usize) -> Result<Name, StoreError> {
    let text = text(row, column)?;
    Name::parse(text).map_err(|_| StoreError::Damaged(format!("{text:?} is no name")))
}
