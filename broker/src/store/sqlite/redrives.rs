//! Paced redrives: written as they are started, go on and are forgotten, and read at a start.

use broker_core::{
    change::{RedriveProgress, RedriveRecord},
    identity::RedriveId,
    restore::Restore,
};
use rusqlite::{Connection, Row, params};

use super::{
    layout,
    load::{blob, each, name, number as read_number, optional_time, time as read_time},
    write::{number, time},
};
use crate::store::StoreError;

pub(super) fn put(connection: &Connection, redrive: &RedriveRecord) -> Result<(), StoreError> {
    let mut sequences = Vec::new();
    layout::write_sequences(&mut sequences, &redrive.sequences);
    let mut put = connection.prepare_cached("INSERT INTO redrives VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
    put.execute(params![
        redrive.id.0,
        redrive.from.as_str(),
        redrive.to.as_str(),
        redrive.per_second,
        time(redrive.started_at),
        sequences,
        number(redrive.total),
    ])?;
    put_progress(connection, redrive.id, redrive.progress)
}

pub(super) fn put_progress(
    connection: &Connection,
    RedriveId(id): RedriveId,
    progress: RedriveProgress,
) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO redrive_progress VALUES (?1, ?2, ?3, ?4)";
    connection.prepare_cached(sql)?.execute(params![
        id,
        number(progress.passed),
        number(progress.redriven),
        progress.ended_at.map(time),
    ])?;
    if progress.ended_at.is_some() {
        connection.prepare_cached("UPDATE redrives SET sequences = x'' WHERE id = ?1")?.execute([id])?;
    }
    Ok(())
}

pub(super) fn remove(connection: &Connection, RedriveId(id): RedriveId) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM redrives WHERE id = ?1")?.execute([id])?;
    connection.prepare_cached("DELETE FROM redrive_progress WHERE redrive = ?1")?.execute([id])?;
    Ok(())
}

pub(super) fn load(connection: &Connection, into: &mut Restore) -> Result<(), StoreError> {
    let sql = "SELECT id, from_queue, to_queue, per_second, started_at, total, sequences, passed, redriven, ended_at
        FROM redrives JOIN redrive_progress ON redrive = id";
    each(connection, sql, |row| {
        into.redrive(redrive(row)?);
        Ok(())
    })
}

fn redrive(row: &Row<'_>) -> Result<RedriveRecord, StoreError> {
    Ok(RedriveRecord {
        id: RedriveId(row.get(0)?),
        from: name(row, 1)?,
        to: name(row, 2)?,
        per_second: row.get(3)?,
        started_at: read_time(row, 4)?,
        total: read_number(row, 5)?,
        sequences: layout::read_sequences(blob(row, 6)?)?.into(),
        progress: RedriveProgress {
            passed: read_number(row, 7)?,
            redriven: read_number(row, 8)?,
            ended_at: optional_time(row, 9)?,
        },
    })
}
