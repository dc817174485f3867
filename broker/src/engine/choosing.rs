//! Putting a subscription's filter to what its topic retains, for a replay and for what a subscription begins
//! with. It takes reading each stored event, so the engine's thread does it only for few; where there are
//! more, a [chooser](super::chooser) has them read beside it, and puts the command in line again with what was
//! chosen:
//!
//! ```text
//! Broker ──command──▶ engine ──(few are to be chosen)──▶ chosen, applied, answered
//!                      │    ▲
//!                 many ▼    │ all that was there when it began to look
//!                     chooser: a look for candidates, a read of them, again and again
//! ```
//!
//! What is published between the last look and the command is among the few.

use broker_core::{choice::Candidates, command::Command, filter::Attributes, identity::Sequence};

use super::Engine;
use crate::{
    record::all_attributes,
    store::{Found, Reader, StoreError},
};

/// How many retained messages the engine's thread puts to a filter for a command that comes for the first
/// time: below a millisecond's work.
pub(crate) const FEW: usize = 50;

/// Puts candidates to the filter, and adds what passes to what was chosen for the command. Of the stored
/// events one at a time is in memory. What is gone since they were looked for does not pass.
///
/// # Errors
/// What the reader says.
pub fn choose(reader: &dyn Reader, command: &mut Command, candidates: Candidates) -> Result<(), StoreError> {
    candidates.choose(command, |sequence| {
        let found = reader.records(&[sequence])?.pop().flatten();
        Ok(found.and_then(|found| attributes(sequence, &found)))
    })
}

/// What a filter looks at; `None` where the event is damaged.
fn attributes(sequence: Sequence, found: &Found) -> Option<Attributes> {
    let attributes = match found {
        Found::Whole(record) => all_attributes(record).ok(),
        Found::Damaged(_) => None,
    };
    if attributes.is_none() {
        tracing::error!(sequence = sequence.0, "a retained message is damaged: it is left out");
    }
    attributes
}

impl Engine {
    /// Puts the filter that a command meets to what is still to be chosen of. False where that is more than
    /// `few`; then nothing was chosen.
    pub(super) fn choose_few(&mut self, command: &mut Command, few: usize) -> Result<bool, StoreError> {
        let Some(candidates) = self.core.to_be_chosen(command, few + 1) else { return Ok(true) };
        if candidates.len() > few {
            return Ok(false);
        }
        candidates.choose(command, |sequence| {
            let found = self.read(sequence)?;
            Ok::<_, StoreError>(attributes(sequence, &found))
        })?;
        Ok(true)
    }
}
