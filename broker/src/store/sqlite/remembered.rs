//! The rows of remembered ids, and which of them each destination has, so that rows whose ids are all forgotten,
//! by age or for want of room, can be deleted whole.

use std::{
    collections::{HashMap, VecDeque},
    mem,
    time::Duration,
};

use broker_core::{
    change::{Change, RememberedId},
    identity::{QueueId, TopicId},
};
use rusqlite::{Connection, params};
use units::Timestamp;

use super::{
    layout,
    write::{number, time},
};
use crate::store::{Group, StoreError};

/// How many rows pile up before they are deleted: one statement deletes them all.
const AT_ONCE: usize = 256;

/// The rows of all destinations.
#[derive(Debug, Default)]
pub(super) struct RememberedRows {
    destinations: HashMap<u32, Rows>,
    next_number: u64,
}

/// The rows of one destination, oldest first.
#[derive(Debug, Default)]
struct Rows {
    window: Duration,
    max_ids: u64,
    ids: u64,
    rows: VecDeque<Row>,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    number: u64,
    at: Timestamp,
    ids: u64,
}

/// One row to be written: the ids that one group published to one destination.
#[derive(Debug)]
pub(super) struct NewRow<'a> {
    pub(super) destination: u32,
    pub(super) number: u64,
    pub(super) ids: Vec<&'a RememberedId>,
}

impl RememberedRows {
    /// A destination was made or changed.
    pub(super) fn settings(&mut self, destination: u32, window: Duration, max_ids: u64) {
        let rows = self.destinations.entry(destination).or_default();
        (rows.window, rows.max_ids) = (window, max_ids);
    }

    /// A destination was removed.
    pub(super) fn gone(&mut self, destination: u32) {
        self.destinations.remove(&destination);
    }

    /// A row was written, or found at the start.
    pub(super) fn row(&mut self, destination: u32, number: u64, at: Timestamp, ids: u64) {
        self.next_number = self.next_number.max(number + 1);
        let rows = self.destinations.entry(destination).or_default();
        rows.rows.push_back(Row { number, at, ids });
        rows.ids += ids;
    }

    /// Sorts a group's ids into rows.
    pub(super) fn new_rows<'a>(&self, ids: impl Iterator<Item = &'a RememberedId>) -> Vec<NewRow<'a>> {
        let mut rows: Vec<NewRow<'a>> = Vec::new();
        for id in ids {
            // A group rarely publishes to more than a few destinations.
            match rows.iter_mut().find(|row| row.destination == id.destination) {
                Some(row) => row.ids.push(id),
                None => {
                    rows.push(NewRow {
                        destination: id.destination,
                        number: self.next_number,
                        ids: vec![id],
                    });
                }
            }
        }
        rows
    }

    /// Up to which number a destination's rows can be deleted now; `None` while that is not worth it.
    pub(super) fn outdated(&self, destination: u32, now: Timestamp) -> Option<u64> {
        let rows = self.destinations.get(&destination)?;
        let outdated = rows.outdated(now);
        (outdated >= AT_ONCE).then(|| rows.rows[outdated - 1].number)
    }

    /// Rows up to that number were deleted.
    pub(super) fn deleted(&mut self, destination: u32, up_to: u64) {
        let Some(rows) = self.destinations.get_mut(&destination) else { return };
        let kept = rows.rows.partition_point(|row| row.number <= up_to);
        let kept = rows.rows.split_off(kept);
        let deleted = mem::replace(&mut rows.rows, kept);
        rows.ids -= deleted.iter().map(|row| row.ids).sum::<u64>();
    }
}

impl Rows {
    /// How many of the oldest rows hold nothing that is still remembered.
    fn outdated(&self, now: Timestamp) -> usize {
        let mut newer_ids = self.ids;
        let mut outdated = 0;
        for row in &self.rows {
            newer_ids -= row.ids;
            if now.since(row.at) <= self.window && newer_ids < self.max_ids {
                break;
            }
            outdated += 1;
        }
        outdated
    }
}

/// Writes the ids that are remembered from now on, and deletes rows of such that no longer are.
pub(super) fn write(
    connection: &Connection,
    group: &Group<'_>,
    remembered: &RememberedRows,
) -> Result<(), StoreError> {
    let mut column = Vec::new();
    for row in remembered.new_rows(remembered_ids(group)) {
        column.clear();
        row.ids.iter().for_each(|id| layout::write_remembered(&mut column, id));
        let mut put = connection.prepare_cached("INSERT INTO remembered_ids VALUES (?1, ?2, ?3, ?4)")?;
        put.execute(params![row.destination, number(row.number), time(group.at), column])?;
        if let Some(up_to) = remembered.outdated(row.destination, group.at) {
            let sql = "DELETE FROM remembered_ids WHERE destination = ?1 AND number <= ?2";
            connection.prepare_cached(sql)?.execute(params![row.destination, number(up_to)])?;
        }
    }
    Ok(())
}

/// Keeps the list of rows in step with what was committed.
pub(super) fn note(group: &Group<'_>, remembered: &mut RememberedRows) {
    for row in remembered.new_rows(remembered_ids(group)) {
        if let Some(up_to) = remembered.outdated(row.destination, group.at) {
            remembered.deleted(row.destination, up_to);
        }
        remembered.row(row.destination, row.number, group.at, row.ids.len() as u64);
    }
    for change in group.changes {
        match change {
            Change::QueuePut(queue) => remembered.settings(
                queue.id.0,
                queue.settings.deduplication_window,
                queue.settings.max_deduplication_ids,
            ),
            Change::TopicPut(topic) => remembered.settings(
                topic.id.0,
                topic.settings.deduplication_window,
                topic.settings.max_deduplication_ids,
            ),
            Change::QueueGone(QueueId(id)) | Change::TopicGone(TopicId(id)) => remembered.gone(*id),
            _ => {}
        }
    }
}

fn remembered_ids<'a>(group: &Group<'a>) -> impl Iterator<Item = &'a RememberedId> + use<'a> {
    group.changes.iter().filter_map(|change| match change {
        Change::IdRemembered(id) => Some(id),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    /// A row a millisecond, of one id each.
    fn rows(count: u64, window: Duration, max_ids: u64) -> RememberedRows {
        let mut rows = RememberedRows::default();
        rows.settings(1, window, max_ids);
        (0..count).for_each(|number| rows.row(1, number, at(number), 1));
        rows
    }

    #[test]
    fn rows_go_when_their_window_has_passed() {
        let mut rows = rows(600, Duration::from_millis(100), u64::MAX);
        assert_eq!(rows.outdated(1, at(300)), None);
        assert_eq!(rows.outdated(1, at(599)), Some(498));
        rows.deleted(1, 498);
        assert_eq!(rows.outdated(1, at(599)), None);
    }

    #[test]
    fn rows_go_when_newer_ones_hold_all_that_may_be_remembered() {
        let rows = rows(600, Duration::MAX, 300);
        assert_eq!(rows.outdated(1, at(599)), Some(299));
    }
}
