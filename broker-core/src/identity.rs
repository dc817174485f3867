//! The small values by which the broker names things: validated names, numbers that are never used
//! again, and the digests that stand for what a message is.

use std::{fmt, sync::Arc};

/// The name of a queue or topic: 1 to 128 of `a-z A-Z 0-9 . _ -`, starting with a letter or digit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Arc<str>);

/// Why a text is not a [`Name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name is 1 to 128 of a-z A-Z 0-9 . _ - and starts with a letter or digit")]
pub struct InvalidName;

impl Name {
    /// The longest name, in bytes.
    pub const MAX_BYTES: usize = 128;

    /// Parses a name.
    ///
    /// # Errors
    /// [`InvalidName`] when the text breaks the rule above.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let starts_well = text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric);
        if starts_well && text.len() <= Self::MAX_BYTES && text.bytes().all(allowed) {
            Ok(Self(Arc::from(text)))
        } else {
            Err(InvalidName)
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One incarnation of a queue: a queue that is removed and made again gets a new number, so receipts
/// of the old one never act on the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueueId(pub u32);

/// One incarnation of a topic. Topics and queues draw from the same counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicId(pub u32);

/// The number of a paced redrive. They draw from the counter of queues and topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RedriveId(pub u32);

/// The number of a stored message, in publish order over the whole broker; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sequence(pub u64);

/// The number of a lease: one receive call that handed out at least one message; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LeaseId(pub u64);

/// The proof that a message was handed out under a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Receipt {
    /// The queue's incarnation.
    pub queue: QueueId,
    /// The message.
    pub sequence: Sequence,
    /// The lease it was handed out under.
    pub lease: LeaseId,
}

/// Digests that stand for a message's identity. The shell computes them (128 bits, collision
/// resistant), so that the core keeps no texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// Digest of `source` and `id` together: what deduplication goes by.
    pub whole: u128,
    /// Digest of `id` alone: what a path's `{id}` finds.
    pub id: u64,
}

/// How a call names messages: by id, and by source too where it is narrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Selector {
    /// Digest of the id.
    pub id: u64,
    /// Digest of source and id, when the call gave `?source=`.
    pub whole: Option<u128>,
}

impl Selector {
    /// Whether this selector means that message.
    #[must_use]
    pub fn matches(&self, identity: &Identity) -> bool {
        self.id == identity.id && self.whole.is_none_or(|whole| whole == identity.whole)
    }
}
