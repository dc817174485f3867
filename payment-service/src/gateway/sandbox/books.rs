//! The sandbox's rules: what it answers to an instruction, given what its ledger says of the
//! reference. Pure.
//!
//! ```text
//!   open ──authorize──▶ authorized ──capture──▶ captured ──refund──▶ refunded
//!    │ │                    │
//!    │ └─authorize──▶ declined
//!    └──────void──────▶ voided ◀──void──┘
//! ```

use super::{
    super::{Instruction, Operation, Standing},
    method::Method,
};

/// What a line of the ledger tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// An operation was carried out.
    Carried(Operation),
    /// An authorization was declined; the reference is closed.
    Declined(String),
}

/// What the ledger says of one reference.
#[derive(Clone, Debug, Default)]
pub(super) struct Books {
    /// Its lines, each with the idempotency key and the amount that it was asked with.
    pub(super) entries: Vec<(Entry, String, events::Money)>,
    /// How often an authorization was answered with 503 by a method that fails at first.
    pub(super) failures: u32,
}

/// The sandbox's answer to an instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is carried out now. `then_silent`: and nobody is told.
    CarriedOut {
        /// The caller waits in vain.
        then_silent: bool,
    },
    /// It was carried out at an earlier call under the same key.
    CarriedOutBefore,
    /// The card is refused.
    Declined(String),
    /// Never.
    Refused(&'static str),
    /// 503; nothing is done.
    Unavailable,
}

/// How often `pm_sandbox_failTwice` fails.
const FAILS: u32 = 2;

impl Books {
    /// How the reference stands.
    pub(super) fn standing(&self) -> Standing {
        let last = self.entries.last().map(|(entry, ..)| entry);
        match last {
            None => Standing::Open,
            Some(Entry::Declined(_)) => Standing::Declined,
            Some(Entry::Carried(Operation::Authorize)) => Standing::Authorized,
            Some(Entry::Carried(Operation::Capture)) => Standing::Captured,
            Some(Entry::Carried(Operation::Void)) => Standing::Voided,
            Some(Entry::Carried(Operation::Refund)) => Standing::Refunded,
        }
    }

    /// What is answered to `instruction`.
    pub(super) fn decide(&self, instruction: &Instruction) -> Verdict {
        if let Some((entry, _, amount)) = self.entries.iter().find(|(_, key, _)| *key == instruction.key.0) {
            return Self::repeat(entry, *amount, instruction);
        }
        if self.entries.first().is_some_and(|(_, _, amount)| *amount != instruction.amount) {
            return Verdict::Refused("another amount than this payment was opened with");
        }
        match (instruction.operation, self.standing()) {
            (Operation::Authorize, Standing::Open) => self.authorize(Method::named(&instruction.method)),
            (Operation::Capture, Standing::Authorized)
            | (Operation::Void, Standing::Open | Standing::Authorized)
            | (Operation::Refund, Standing::Captured) => Verdict::CarriedOut { then_silent: false },
            (_, Standing::Open) => Verdict::Refused("nothing is authorized on this payment"),
            (_, Standing::Authorized) => Verdict::Refused("this payment is authorized"),
            (_, Standing::Captured) => Verdict::Refused("this payment is captured"),
            (_, Standing::Declined) => Verdict::Refused("this payment was declined"),
            (_, Standing::Voided) => Verdict::Refused("this payment was voided"),
            (_, Standing::Refunded) => Verdict::Refused("this payment was refunded"),
        }
    }

    fn repeat(entry: &Entry, amount: events::Money, instruction: &Instruction) -> Verdict {
        let same = match entry {
            Entry::Carried(operation) => *operation == instruction.operation,
            Entry::Declined(_) => instruction.operation == Operation::Authorize,
        };
        match entry {
            _ if !same || amount != instruction.amount => {
                Verdict::Refused("this idempotency key was used for another call")
            }
            Entry::Carried(_) => Verdict::CarriedOutBefore,
            Entry::Declined(reason) => Verdict::Declined(reason.clone()),
        }
    }

    fn authorize(&self, method: Method) -> Verdict {
        match method {
            Method::Works => Verdict::CarriedOut { then_silent: false },
            Method::SilentAfterAuthorize => Verdict::CarriedOut { then_silent: true },
            Method::Declined(reason) => Verdict::Declined(reason.to_owned()),
            Method::FailsTwice if self.failures >= FAILS => Verdict::CarriedOut { then_silent: false },
            Method::FailsTwice | Method::Unavailable => Verdict::Unavailable,
        }
    }
}

#[cfg(test)]
#[path = "books/tests.rs"]
mod tests;
