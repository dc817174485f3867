//! Putting a subscription's filter to what its topic retains, for a replay and for what a subscription begins
//! with. It takes reading each stored event, so the engine's thread does it only for few; where there are
//! more, whoever asked has them read beside it, and asks again with what was chosen:
//!
//! ```text
//! Broker ──command──▶ engine ──(few are to be chosen)──────────────────────▶ chosen, applied
//!    ▲                   │ many
//!    │                   ▼
//!    └── a look for candidates, a read beside the engine, again and again until few are left
//! ```
//!
//! What is published between the last look and the command is among the few.

use broker_core::{choice::Candidates, command::Command, filter::Attributes, identity::Sequence};

use super::Engine;
use crate::{
    record::all_attributes,
    store::{Found, Reader, StoreError},
};

/// How many retained messages the engine's thread puts to a filter at the most, and how many are read beside
/// it at a time: some milliseconds' work.
pub(crate) const FEW: usize = 1000;

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
    /// Puts the filter that a command meets to what is still to be chosen of. False where that is too much
    /// for this thread; then nothing was chosen.
    pub(super) fn choose_few(&mut self, command: &mut Command) -> Result<bool, StoreError> {
        let Some(candidates) = self.core.to_be_chosen(command, FEW + 1) else { return Ok(true) };
        if candidates.len() > FEW {
            return Ok(false);
        }
        candidates.choose(command, |sequence| {
            let found = self.read(sequence)?;
            Ok::<_, StoreError>(attributes(sequence, &found))
        })?;
        Ok(true)
    }
}
