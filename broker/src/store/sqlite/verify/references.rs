//! That all that is referred to is there, and that no number is used that was not given out.

use rusqlite::Row;

use super::Verifier;
use crate::store::{
    StoreError,
    sqlite::{layout, load},
    verify::FaultKind,
};

/// What each finds is a fault: the number of the message, that of the queue or topic (either may be null), and
/// what is wrong.
const CHECKS: &[(FaultKind, &str)] = &[
    (
        FaultKind::Number,
        "SELECT NULL, id, 'its number ' || id || ' was not given out yet'
         FROM (SELECT id FROM queues UNION ALL SELECT id FROM topics)
         WHERE id >= ifnull((SELECT next_destination FROM meta), 0)",
    ),
    (
        FaultKind::Copy,
        "SELECT sequence, queue, 'its message is gone' FROM copies
         WHERE NOT EXISTS (SELECT 1 FROM messages WHERE messages.sequence = copies.sequence)",
    ),
    (
        FaultKind::Copy,
        // Those of a queue or topic that is gone stay until their messages go.
        "SELECT sequence, queue, 'the queue it is in was not made yet' FROM copies
         WHERE queue >= ifnull((SELECT next_destination FROM meta), 0)",
    ),
    (
        FaultKind::Copy,
        "SELECT sequence, queue, 'its state is ' || state FROM copies WHERE state NOT IN (0, 1, 2)",
    ),
    (
        FaultKind::Copy,
        "SELECT sequence, queue, 'lease ' || ended_lease || ', which ended, was not given out yet' FROM copies
         WHERE ended_lease >= (SELECT next_lease FROM meta)",
    ),
    (
        FaultKind::Failure,
        "SELECT sequence, queue, 'what failed is gone' FROM failures
         WHERE NOT EXISTS (SELECT 1 FROM copies WHERE copies.sequence = failures.sequence
                           AND copies.queue = failures.queue AND state <> 0)",
    ),
    (
        FaultKind::Failure,
        "SELECT sequence, queue, 'its outcome is ' || outcome FROM failures WHERE outcome NOT IN (0, 1, 2)",
    ),
    (
        FaultKind::Failure,
        "SELECT sequence, queue, 'the queue ' || failed_in || ' was not made yet' FROM failures
         WHERE failed_in >= ifnull((SELECT next_destination FROM meta), 0)",
    ),
    (
        FaultKind::Failure,
        "SELECT sequence, queue, 'it is fatal by ' || fatal FROM failures WHERE fatal NOT IN (0, 1)",
    ),
    (
        FaultKind::Failure,
        "SELECT sequence, queue, 'failure ' || number || ' of ' || copies.failures
         FROM failures JOIN copies USING (sequence, queue) WHERE number > copies.failures",
    ),
    (
        FaultKind::Lease,
        "SELECT NULL, queue, 'the queue of lease ' || id || ' is gone' FROM leases
         WHERE NOT EXISTS (SELECT 1 FROM queues WHERE queues.id = queue)",
    ),
    (
        FaultKind::Lease,
        "SELECT NULL, queue, 'lease ' || id || ' was not given out yet' FROM leases
         WHERE id >= (SELECT next_lease FROM meta)",
    ),
    (
        FaultKind::RememberedIds,
        "SELECT NULL, destination, 'the queue or topic they were published to is gone' FROM remembered_ids
         WHERE NOT EXISTS (SELECT 1 FROM queues WHERE id = destination)
         AND NOT EXISTS (SELECT 1 FROM topics WHERE id = destination)",
    ),
    (
        FaultKind::RememberedIds,
        "SELECT NULL, destination, 'they were published after the latest commit' FROM remembered_ids
         WHERE at > (SELECT at FROM meta)",
    ),
    (
        FaultKind::Counters,
        "SELECT NULL, queue, 'their queue is gone' FROM counters
         WHERE NOT EXISTS (SELECT 1 FROM queues WHERE id = queue)",
    ),
    (
        FaultKind::Subscription,
        "SELECT NULL, queue, 'its topic ' || topic || ' is gone' FROM subscriptions
         WHERE NOT EXISTS (SELECT 1 FROM topics WHERE id = topic)",
    ),
    (
        FaultKind::Subscription,
        "SELECT NULL, topic, 'its queue ' || queue || ' is gone' FROM subscriptions
         WHERE NOT EXISTS (SELECT 1 FROM queues WHERE id = queue)",
    ),
    (
        FaultKind::Redrive,
        "SELECT NULL, NULL, 'redrive ' || id || ' has no progress' FROM redrives
         WHERE NOT EXISTS (SELECT 1 FROM redrive_progress WHERE redrive = id)",
    ),
    (
        FaultKind::Redrive,
        "SELECT NULL, NULL, 'the progress of redrive ' || redrive || ' has no redrive' FROM redrive_progress
         WHERE NOT EXISTS (SELECT 1 FROM redrives WHERE id = redrive)",
    ),
    (
        FaultKind::Redrive,
        "SELECT NULL, NULL, 'redrive ' || id || ' had ' || passed || ' turns of ' || total
         FROM redrives JOIN redrive_progress ON redrive = id WHERE passed > total",
    ),
];

impl Verifier<'_> {
    pub(super) fn references(&mut self) -> Result<(), StoreError> {
        for (what, sql) in CHECKS {
            load::each(self.connection, sql, |row| {
                let sequence = row.get::<_, Option<i64>>(0)?.map(i64::cast_unsigned);
                self.fault_of(*what, sequence, row.get(1)?, row.get(2)?)
            })?;
        }
        load::each(self.connection, "SELECT id, queue, sequences FROM leases", |row| self.lease(row))
    }

    /// A lease that is on record holds a message that is there.
    fn lease(&mut self, row: &Row<'_>) -> Result<(), StoreError> {
        let (id, queue): (i64, u32) = (row.get(0)?, row.get(1)?);
        let Ok(sequences) = layout::read_sequences(load::blob(row, 2)?) else {
            let detail = format!("what lease {id} holds can't be read");
            return self.fault_of(FaultKind::Lease, None, Some(queue), detail);
        };
        let sql = "SELECT EXISTS (SELECT 1 FROM messages WHERE sequence = ?1)";
        let mut is_there = self.connection.prepare_cached(sql)?;
        for sequence in sequences {
            if is_there.query_row([sequence.0.cast_signed()], |row| row.get(0))? {
                return Ok(());
            }
        }
        self.fault_of(FaultKind::Lease, None, Some(queue), format!("all that lease {id} holds is gone"))
    }
}
