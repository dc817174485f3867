//! Why the broker did not do what it was asked. What the HTTP contract makes of it is the api's.

use broker_core::reply::Refusal;

/// Why a call on [`Broker`](crate::Broker) failed. Nothing was changed, unless it says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BrokerError {
    /// The rules refuse it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The disk has no room for it.
    #[error("the disk that holds the data folder is full")]
    StorageFull,
    /// The disk has room for it, but less than is to be left there.
    #[error(
        "the disk that holds the data folder has room for {free} bytes more, and publishes are refused where it is \
         {floor} bytes (--min-free-space) or less"
    )]
    BelowFloor {
        /// How many bytes more could be stored.
        free: u64,
        /// How many are to be left.
        floor: u64,
    },
    /// Too much waits to be decided; try again in a second or so.
    #[error("the broker has too much waiting to take more")]
    Busy,
    /// The broker is stopping, or has stopped. A command sent before it did so may have taken effect.
    #[error("the broker is stopping")]
    Stopped,
    /// Stored data could not be read.
    #[error("stored data could not be read: {0}")]
    Unreadable(String),
}
