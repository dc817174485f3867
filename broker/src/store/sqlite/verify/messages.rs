//! Each message: its checksum, that it is an event, and where it was placed.

use std::collections::BTreeSet;

use broker_core::change::HighWater;
use rusqlite::Row;

use super::Verifier;
use crate::{
    record::{Head, Listed},
    store::{
        Found, Progress, StoreError,
        sqlite::{
            checksum::MessageRow,
            layout, load,
            read::{is_damage, message_row},
        },
        verify::{Fault, FaultKind},
    },
};

/// After how many messages progress is told.
const STRETCH: u64 = 1024;

impl Verifier<'_> {
    pub(super) fn messages(&mut self, progress: Progress<'_>) -> Result<(), StoreError> {
        let all =
            self.connection.query_row("SELECT count(*) FROM messages", [], |row| row.get::<_, i64>(0))?;
        let next = load::last(self.connection)?.map(|(high_water, _)| high_water).unwrap_or_default();
        load::each(self.connection, "SELECT * FROM messages ORDER BY sequence", |row| {
            self.report.messages += 1;
            if self.report.messages.is_multiple_of(STRETCH) {
                progress(self.report.messages, all.unsigned_abs());
            }
            match self.message(row, next) {
                Err(StoreError::Database(error)) if is_damage(&error) => {
                    let (sequence, detail) =
                        (row.get::<_, i64>(0)?, format!("its row can't be read: {error}"));
                    self.fault_of(FaultKind::Message, Some(sequence.cast_unsigned()), None, detail)
                }
                checked => checked,
            }
        })?;
        progress(self.report.messages, self.report.messages);
        Ok(())
    }

    fn message(&mut self, row: &Row<'_>, next: HighWater) -> Result<(), StoreError> {
        let (message, checksum) = (message_row(row)?, row.get::<_, Option<i64>>(8)?);
        self.report.without_checksum += u64::from(checksum.is_none());
        if let Found::Damaged(_) = message.found(checksum) {
            self.message_fault(FaultKind::Checksum, &message, "it is not as it was written");
            // Whatever else is wrong with it follows from that.
            return Ok(());
        }
        if message.sequence.cast_unsigned() >= next.next_sequence {
            self.message_fault(FaultKind::Number, &message, "its number was not given out yet");
        }
        if let Err(error) = Listed::read(message.record) {
            self.message_fault(FaultKind::Message, &message, &format!("it is no event: {error}"));
        }
        match layout::read_placements(message.placements) {
            Ok(placements) if placements.iter().all(|it| it.queue.0 < next.next_destination) => {}
            Ok(_) => {
                self.message_fault(FaultKind::Message, &message, "it was placed in a queue that never was");
            }
            Err(_) => self.message_fault(FaultKind::Message, &message, "where it was placed can't be read"),
        }
        Ok(())
    }

    fn message_fault(&mut self, what: FaultKind, message: &MessageRow<'_>, detail: &str) {
        let queues = self.places(message).into_iter().map(|queue| self.name(queue)).collect();
        let fault = Fault::new(what, detail).named(Head::of_damaged(message.record));
        self.report.add(Fault { sequence: Some(message.sequence.cast_unsigned()), queues, ..fault });
    }

    /// The numbers of the queues and topics that hold a message: those that it was placed in or came into later, but
    /// for what it is gone from, as far as that can be read.
    fn places(&self, message: &MessageRow<'_>) -> BTreeSet<u32> {
        let placements = layout::read_placements(message.placements).unwrap_or_default();
        let mut places: BTreeSet<u32> = placements.iter().map(|placement| placement.queue.0).collect();
        for (queue, is_gone) in self.copies(message.sequence).unwrap_or_default() {
            if is_gone {
                places.remove(&queue);
            } else {
                places.insert(queue);
            }
        }
        places.retain(|queue| self.names.contains_key(queue));
        places
    }

    /// The copies of a message of which there is something special to say: in which queue, and whether it is gone.
    fn copies(&self, sequence: i64) -> rusqlite::Result<Vec<(u32, bool)>> {
        let sql = "SELECT queue, state = 0 FROM copies WHERE sequence = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.query_map([sequence], |row| row.try_into())?.collect()
    }
}
