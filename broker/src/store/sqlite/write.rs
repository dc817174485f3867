//! Writing a group: one transaction, with the fewest statements that will do.
//!
//! A message costs one row at publish, and a part of one range delete when it is gone: rows of messages
//! without other records are deleted last, neighbours together. That reorders nothing that matters, as
//! numbers of messages are never used again.

use std::time::Duration;

use broker_core::{
    change::{Change, CopyRecord, CopyState, FailureOutcome, FailureRecord, LeaseRecord, MessageRecord},
    identity::{LeaseId, QueueId, Sequence, TopicId},
};
use rusqlite::{CachedStatement, Connection, Params, Transaction, TransactionBehavior, params};
use units::Timestamp;

use super::{
    audit,
    checksum::MessageRow,
    layout, redrives,
    remembered::{self, RememberedRows},
    settings,
};
use crate::store::{Group, StoreError};

/// How many failures of a copy are kept.
const KEPT_FAILURES: u32 = 50;

/// Writes a group, all or none.
pub(super) fn group(
    connection: &Connection,
    group: &Group<'_>,
    rows: &mut RememberedRows,
) -> Result<(), StoreError> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    // First, so that they go with a queue or topic that is removed in the same group.
    remembered::write(&transaction, group, rows)?;
    let mut writer = Writer::new(&transaction)?;
    for change in group.changes {
        writer.change(change)?;
    }
    writer.finish()?;
    write_figures(&transaction, group)?;
    // When the commit fails, dropping the transaction rolls it back.
    transaction.commit()?;
    remembered::note(group, rows);
    Ok(())
}

/// The hot statements, prepared once a group.
struct Writer<'c> {
    connection: &'c Connection,
    put_message: CachedStatement<'c>,
    remove_messages: CachedStatement<'c>,
    put_lease: CachedStatement<'c>,
    remove_lease: CachedStatement<'c>,
    /// Messages without other records that are gone.
    gone: Vec<Sequence>,
    column: Vec<u8>,
    summed: Vec<u8>,
}

impl<'c> Writer<'c> {
    fn new(connection: &'c Connection) -> Result<Self, StoreError> {
        Ok(Self {
            connection,
            put_message: connection
                .prepare_cached("INSERT INTO messages VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?,
            remove_messages: connection
                .prepare_cached("DELETE FROM messages WHERE sequence BETWEEN ?1 AND ?2")?,
            put_lease: connection.prepare_cached("INSERT INTO leases VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?,
            remove_lease: connection.prepare_cached("DELETE FROM leases WHERE id = ?1")?,
            gone: Vec::new(),
            column: Vec::new(),
            summed: Vec::new(),
        })
    }

    fn change(&mut self, change: &Change) -> Result<(), StoreError> {
        match change {
            Change::MessagePut(message, record) => self.put_message(message, record),
            Change::MessageGone { sequence, has_records: false } => {
                self.gone.push(*sequence);
                Ok(())
            }
            Change::MessageGone { sequence, has_records: true } => self.remove_message(*sequence),
            Change::LeasePut(lease) => self.put_lease(lease),
            Change::LeaseLength(lease, length) => {
                let length = millis(*length);
                self.run("UPDATE leases SET length = ?2 WHERE id = ?1", params![number(lease.0), length])
            }
            Change::LeaseGone(lease) => self.remove_lease(*lease),
            Change::CopyPut(copy) => self.put_copy(copy),
            Change::CopyGone(sequence, queue) => self.remove_copy(*sequence, *queue),
            Change::FailurePut(failure) => self.put_failure(failure),
            Change::FailuresMoved { sequence, from, to } => self.run(
                "UPDATE OR REPLACE failures SET queue = ?3, failed_in = ifnull(failed_in, queue)
                 WHERE sequence = ?1 AND queue = ?2",
                params![number(sequence.0), from.0, to.0],
            ),
            Change::RedrivePut(redrive) => redrives::put(self.connection, redrive),
            Change::RedriveProgress(id, progress) => redrives::put_progress(self.connection, *id, *progress),
            Change::RedriveGone(id) => redrives::remove(self.connection, *id),
            Change::Audited(record) => audit::put(self.connection, record),
            // All of a group are packed into few rows.
            Change::IdRemembered(_) => Ok(()),
            Change::QueuePut(_) | Change::QueueGone(_) => self.queue(change),
            Change::TopicPut(_)
            | Change::TopicGone(_)
            | Change::SubscriptionPut(_)
            | Change::SubscriptionGone(..) => self.topic(change),
        }
    }

    fn put_message(&mut self, message: &MessageRecord, record: &[u8]) -> Result<(), StoreError> {
        layout::write_placements(&mut self.column, &message.placements);
        let row = MessageRow {
            sequence: number(message.sequence.0),
            whole: &message.identity.whole.to_le_bytes(),
            id: number(message.identity.id),
            size: i64::from(message.size),
            published_at: time(message.published_at),
            key: message.key.as_deref(),
            placements: &self.column,
            record,
        };
        self.put_message.execute(params![
            row.sequence,
            row.whole,
            row.id,
            row.size,
            row.published_at,
            row.key,
            row.placements,
            row.record,
            row.checksum(&mut self.summed),
        ])?;
        Ok(())
    }

    fn remove_message(&mut self, sequence: Sequence) -> Result<(), StoreError> {
        let key = params![number(sequence.0)];
        self.run("DELETE FROM messages WHERE sequence = ?1", key)?;
        self.run("DELETE FROM copies WHERE sequence = ?1", key)?;
        self.run("DELETE FROM failures WHERE sequence = ?1", key)
    }

    fn put_lease(&mut self, lease: &LeaseRecord) -> Result<(), StoreError> {
        layout::write_sequences(&mut self.column, &lease.sequences);
        self.put_lease.execute(params![
            number(lease.id.0),
            lease.queue.0,
            lease.receive_id.as_deref(),
            lease.consumer.as_deref(),
            time(lease.leased_at),
            millis(lease.length),
            &self.column,
        ])?;
        Ok(())
    }

    fn remove_lease(&mut self, lease: LeaseId) -> Result<(), StoreError> {
        self.remove_lease.execute([number(lease.0)])?;
        Ok(())
    }

    fn put_copy(&self, copy: &CopyRecord) -> Result<(), StoreError> {
        let (state, state_at) = match copy.state {
            CopyState::Waiting { available_at } => (1, available_at),
            CopyState::Dead { since } => (2, since),
        };
        self.run(
            "INSERT OR REPLACE INTO copies VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
            params![
                number(copy.sequence.0),
                copy.queue.0,
                state,
                time(state_at),
                time(copy.position_at),
                copy.expires_at.map(time),
                copy.ttl.map(millis),
                copy.delivery_count,
                copy.failures,
                copy.redrive_count,
                copy.first_delivered_at.map(time),
                copy.first_failed_at.map(time),
                copy.last_failed_at.map(time),
                copy.ended_lease.map(|lease| number(lease.0)),
                copy.ended_by_nack,
                copy.replayed,
            ],
        )
    }

    fn remove_copy(&self, sequence: Sequence, queue: QueueId) -> Result<(), StoreError> {
        let key = params![number(sequence.0), queue.0];
        self.run(
            "INSERT OR REPLACE INTO copies VALUES (?1, ?2, 0, 0, 0, NULL, NULL, 0, 0, 0, NULL, NULL, NULL, NULL, 0, 0)",
            key,
        )?;
        self.run("DELETE FROM failures WHERE sequence = ?1 AND queue = ?2", key)
    }

    fn put_failure(&self, failure: &FailureRecord) -> Result<(), StoreError> {
        let outcome = match failure.outcome {
            FailureOutcome::Nacked => 0,
            FailureOutcome::LeaseExpired => 1,
            FailureOutcome::DeadLettered => 2,
        };
        self.run(
            "INSERT OR REPLACE INTO failures VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            params![
                number(failure.sequence.0),
                failure.queue.0,
                failure.number,
                failure.delivery_count,
                failure.delivered_at.map(time),
                time(failure.ended_at),
                failure.consumer.as_deref(),
                outcome,
                failure.reason.as_deref(),
                (failure.failed_in != failure.queue).then_some(failure.failed_in.0),
                failure.fatal,
            ],
        )?;
        let Some(forgotten) = failure.number.checked_sub(KEPT_FAILURES) else { return Ok(()) };
        self.run(
            "DELETE FROM failures WHERE sequence = ?1 AND queue = ?2 AND number <= ?3",
            params![number(failure.sequence.0), failure.queue.0, forgotten],
        )
    }

    fn queue(&self, change: &Change) -> Result<(), StoreError> {
        match change {
            Change::QueuePut(queue) => self.run(
                "INSERT OR REPLACE INTO queues VALUES (?1, ?2, ?3)",
                params![queue.id.0, queue.name.as_str(), settings::write_queue(&queue.settings)],
            ),
            Change::QueueGone(QueueId(id)) => {
                self.run("DELETE FROM queues WHERE id = ?1", [id])?;
                self.run("DELETE FROM counters WHERE queue = ?1", [id])?;
                self.run("DELETE FROM subscriptions WHERE queue = ?1", [id])?;
                self.run("DELETE FROM leases WHERE queue = ?1", [id])?;
                self.run("DELETE FROM remembered_ids WHERE destination = ?1", [id])
            }
            _ => Ok(()),
        }
    }

    fn topic(&self, change: &Change) -> Result<(), StoreError> {
        match change {
            Change::TopicPut(topic) => self.run(
                "INSERT OR REPLACE INTO topics VALUES (?1, ?2, ?3)",
                params![topic.id.0, topic.name.as_str(), settings::write_topic(&topic.settings)],
            ),
            Change::TopicGone(TopicId(id)) => {
                self.run("DELETE FROM topics WHERE id = ?1", [id])?;
                self.run("DELETE FROM subscriptions WHERE topic = ?1", [id])?;
                self.run("DELETE FROM remembered_ids WHERE destination = ?1", [id])
            }
            Change::SubscriptionPut(subscription) => self.run(
                "INSERT OR REPLACE INTO subscriptions VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    subscription.topic.0,
                    subscription.queue.0,
                    settings::write_on_full(subscription.on_full),
                    number(subscription.dropped),
                    subscription.filter.as_ref().map(settings::write_filter),
                    settings::write_start(subscription.start),
                ],
            ),
            Change::SubscriptionGone(topic, queue) => self
                .run("DELETE FROM subscriptions WHERE topic = ?1 AND queue = ?2", params![topic.0, queue.0]),
            _ => Ok(()),
        }
    }

    /// Deletes the rows of messages that are gone, neighbours with one statement.
    fn finish(mut self) -> Result<(), StoreError> {
        self.gone.sort_unstable();
        for run in self.gone.chunk_by(|one, next| one.0 + 1 == next.0) {
            if let (Some(first), Some(last)) = (run.first(), run.last()) {
                self.remove_messages.execute([number(first.0), number(last.0)])?;
            }
        }
        Ok(())
    }

    fn run(&self, sql: &str, params: impl Params) -> Result<(), StoreError> {
        self.connection.prepare_cached(sql)?.execute(params)?;
        Ok(())
    }
}

/// Writes counters, the numbers that come next, and the time.
fn write_figures(connection: &Connection, group: &Group<'_>) -> Result<(), StoreError> {
    for (queue, counters) in group.counters {
        let mut put = connection.prepare_cached("INSERT OR REPLACE INTO counters VALUES (?1, ?2)")?;
        put.execute(params![queue.0, layout::write_counters(counters)])?;
    }
    let mut put = connection.prepare_cached("INSERT OR REPLACE INTO meta VALUES (1, ?1, ?2, ?3, ?4)")?;
    let next = group.high_water;
    put.execute(params![
        number(next.next_sequence),
        number(next.next_lease),
        next.next_destination,
        time(group.at)
    ])?;
    Ok(())
}

/// A number as SQLite keeps it.
pub(super) const fn number(number: u64) -> i64 {
    number.cast_signed()
}

/// A length of time as SQLite keeps it.
fn millis(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}

/// A time as SQLite keeps it.
pub(super) fn time(at: Timestamp) -> i64 {
    number(at.as_millis())
}
