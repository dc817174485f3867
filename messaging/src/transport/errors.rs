//! Why an engine did not do what it was asked, told apart by what the caller can do about it.

use std::time::Duration;

/// Why a call to an engine failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// It can't be reached, did not answer in time, or said that it can't serve now. Whether it did
    /// what it was asked is not known.
    #[error("the broker can't be reached: {detail}")]
    Unreachable {
        /// What happened, with its causes.
        detail: String,
        /// When it asks to be tried again.
        retry_after: Option<Duration>,
    },
    /// It is there, but does not take more now: a full queue, a full disk, too many calls.
    #[error("the broker takes no more now: {detail}")]
    Throttled {
        /// What it said.
        detail: String,
        /// When it asks to be tried again.
        retry_after: Option<Duration>,
    },
    /// It does not let us.
    #[error("the broker denies access: {0}")]
    Denied(String),
    /// A queue or topic is not there, or nobody listens.
    #[error("not there: {0}")]
    Missing(String),
    /// What is declared conflicts with what is there; the text names the settings.
    #[error("conflicting settings: {0}")]
    Conflict(String),
    /// It refused what it was asked, and will again.
    #[error("refused: {0}")]
    Refused(String),
    /// Its answer is not what the contract says.
    #[error("the broker's answer can't be read: {0}")]
    Protocol(String),
}

impl TransportError {
    /// Whether the same may succeed later without anybody changing the program: all but a conflict and
    /// a refusal.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        !matches!(self, Self::Conflict(_) | Self::Refused(_))
    }

    /// When the engine asks to be tried again.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unreachable { retry_after, .. } | Self::Throttled { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// Why an event was not published.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// This event is refused for good: too large, not valid, or its id was used for another.
    #[error("the event is refused: {0}")]
    Refused(String),
    /// It could not be published now, for no fault of its own. Whether it was stored may be unknown:
    /// publish it again under the same id.
    #[error(transparent)]
    Unavailable(#[from] TransportError),
}

/// Why a URL opens no transport.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnknownTransport {
    /// No engine of that scheme is built in.
    #[error("no transport for {0:?}: write http://HOST:PORT (or https), our own broker's address")]
    Scheme(String),
    /// It can't be read.
    #[error("{url:?} is not a URL of a broker: {detail}")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The token is none; its text is not repeated.
    #[error("the broker's token holds what no header can carry: it is of visible ASCII")]
    Token,
}
