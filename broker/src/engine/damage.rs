//! Stored events that are not as they were written. They are never handed out: each becomes a dead letter of
//! its queue, to be looked at and discarded, and the others go on.

use std::{collections::HashMap, sync::Arc};

use broker_core::{
    command::{Command, Receive},
    identity::Sequence,
};
use bytes::Bytes;
use units::Timestamp;

use super::Engine;
use crate::store::{Found, StoreError};

/// The reason that such a dead letter has.
pub(crate) const REASON: &str = "stored data is damaged";

/// Records that were read from the disk, to be handed out.
pub(super) type Records = HashMap<Sequence, Bytes>;

impl Engine {
    /// Reads what a receive will hand out, and makes dead letters of what is damaged, before it is decided: so
    /// it counts as no delivery, and an auto-ack takes none of it away. `None` when so much has expired that
    /// it is to be tried again in the next group.
    pub(super) fn read_ahead(
        &mut self,
        receive: &Receive,
        now: Timestamp,
    ) -> Result<Option<Records>, StoreError> {
        let mut records = Records::new();
        while let Some(foreseen) = self.foresee(receive, now) {
            let mut damaged = Vec::new();
            for sequence in foreseen {
                if records.contains_key(&sequence) || self.bodies.get(sequence).is_some() {
                    continue;
                }
                match self.read(sequence)? {
                    Found::Whole(record) => drop(records.insert(sequence, record)),
                    Found::Damaged(_) => damaged.push(sequence),
                }
            }
            if damaged.is_empty() {
                return Ok(Some(records));
            }
            self.dead_letter(receive, damaged, now);
        }
        Ok(None)
    }

    fn foresee(&mut self, receive: &Receive, now: Timestamp) -> Option<Vec<Sequence>> {
        let foreseen = self.core.foresee(receive, now, &mut self.put_off.left, &mut self.effects);
        self.note_changes();
        foreseen
    }

    fn dead_letter(&mut self, receive: &Receive, damaged: Vec<Sequence>, now: Timestamp) {
        for Sequence(sequence) in &damaged {
            tracing::error!(sequence, queue = %receive.queue, "a stored message is damaged: it is a dead letter now");
        }
        let (queue, reason) = (receive.queue.clone(), Arc::from(REASON));
        let command = Command::DeadLetter { queue, sequences: damaged, reason };
        // It is refused only where there is no such queue, and then it foresaw no deliveries.
        drop(self.apply(command, now));
    }

    /// The record of a delivery; `None` when it is damaged and that was not foreseen, because the disk gave it
    /// back whole a moment ago. Then its lease runs out, and the next receive foresees it.
    pub(super) fn record_of_delivery(
        &mut self,
        sequence: Sequence,
        records: &mut Records,
    ) -> Result<Option<Bytes>, StoreError> {
        if let Some(record) = records.remove(&sequence) {
            return Ok(Some(record));
        }
        match self.read(sequence)? {
            Found::Whole(record) => Ok(Some(record)),
            Found::Damaged(_) => {
                tracing::error!(sequence = sequence.0, "a stored message is damaged: it is not handed out");
                Ok(None)
            }
        }
    }

    /// The record of a message that the core knows.
    pub(super) fn read(&mut self, sequence: Sequence) -> Result<Found, StoreError> {
        if let Some(record) = self.bodies.get(sequence) {
            return Ok(Found::Whole(record));
        }
        // Where there is none, the disk has lost it.
        Ok(self.store.record(sequence)?.unwrap_or(Found::Damaged(Bytes::new())))
    }
}
