//! Why a handler could not do its work, told apart by what is to become of the message. A business
//! refusal (card declined, out of stock) is none of these: it is an event.

use std::{error::Error, time::Duration};

use crate::{database::DatabaseError, event::DecodeError};

/// The longest reason that is kept, in bytes.
const MAX_REASON: usize = 4096;

/// What goes wrong, with its causes.
pub type Cause = Box<dyn Error + Send + Sync>;

/// A handler's failure.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// It may work later: delivered again after the queue's backoff, a dead letter when its deliveries
    /// are used up.
    Transient(Cause),
    /// Somebody asked to be left alone for a time: delivered again after it. It does not count, for
    /// nothing was wrong with the message, nor was it tried in earnest.
    Throttled {
        /// After what time it may be tried again.
        after: Duration,
        /// What was said.
        cause: Cause,
    },
    /// It will never work: a dead letter at once.
    Permanent(Cause),
}

impl Failure {
    /// It may work later.
    pub fn transient(cause: impl Into<Cause>) -> Self {
        Self::Transient(cause.into())
    }

    /// It may be tried again after that time.
    pub fn throttled(after: Duration, cause: impl Into<Cause>) -> Self {
        Self::Throttled { after, cause: cause.into() }
    }

    /// It will never work.
    pub fn permanent(cause: impl Into<Cause>) -> Self {
        Self::Permanent(cause.into())
    }

    /// What is recorded: the error and its causes, each once, at most 4 KiB.
    #[must_use]
    pub fn reason(&self) -> String {
        let (Self::Transient(cause) | Self::Throttled { cause, .. } | Self::Permanent(cause)) = self;
        reason(cause.as_ref())
    }
}

/// An error and its causes in one line. A cause whose text the error above it ends with already is not
/// said twice.
#[must_use]
pub fn reason(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.ends_with(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    shortened(text)
}

/// At most [`MAX_REASON`] bytes, cut where a character ends.
pub(crate) fn shortened(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX_REASON));
    text
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::transient(error)
    }
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        Self::transient(error)
    }
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        Self::permanent(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layer {
        text: &'static str,
        source: Option<Box<Layer>>,
    }

    #[test]
    fn the_reason_is_the_error_with_its_causes_each_once() {
        let innermost = Layer { text: "connection refused", source: None };
        let middle = Layer { text: "gateway: connection refused", source: Some(Box::new(innermost)) };
        let outer = Layer { text: "authorizing", source: Some(Box::new(middle)) };
        assert_eq!(Failure::transient(outer).reason(), "authorizing: gateway: connection refused");
    }

    #[test]
    fn a_long_reason_is_cut_where_a_character_ends() {
        let reason = Failure::permanent("é".repeat(4096)).reason();
        assert_eq!(reason.len(), 4096);
        let reason = Failure::permanent(format!("a{}", "é".repeat(4096))).reason();
        assert_eq!(reason.len(), 4095);
    }
}
