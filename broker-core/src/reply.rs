//! What the core answers: a [`Reply`] when it did what it was told, a [`Refusal`] when it changed
//! nothing.

use std::{sync::Arc, time::Duration};

use units::Timestamp;

use crate::identity::{Name, Receipt, RedriveId, Sequence};

/// The answer to a command that was carried out.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Something was put: whether it is new.
    Put {
        /// Whether it was created rather than changed or found the same.
        created: bool,
    },
    /// Something was removed or dropped: how many.
    Removed {
        /// How many.
        count: u64,
    },
    /// How many retained messages were put into a queue again.
    Replayed {
        /// How many.
        count: u64,
    },
    /// The results of a publish, in order.
    Published(Vec<Published>),
    /// What a receive handed out; may be empty.
    Delivered(Vec<Delivered>),
    /// The results of an ack, nack or extend, in order.
    Settled(Vec<Settled>),
    /// What a redrive did.
    Redriven(Box<Redriven>),
    /// A paced redrive was started.
    RedriveStarted {
        /// Its number.
        redrive: RedriveId,
        /// How many dead letters it goes through.
        count: u64,
        /// The places, in the list asked for, of ids that no dead letter has.
        not_found: Vec<usize>,
    },
}

/// The result of publishing one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// Whether it had been published before, within the window.
    pub duplicate: bool,
    /// How many queues took it (the first time).
    pub queues: u32,
}

/// One delivery. The shell adds the message's record, and the last reason where it failed before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The message.
    pub sequence: Sequence,
    /// The proof; `None` with auto-ack.
    pub receipt: Option<Receipt>,
    /// How often it was handed out, this time included; 1 at first.
    pub delivery_count: u32,
    /// When the lease runs out; `None` with auto-ack.
    pub lease_expires_at: Option<Timestamp>,
    /// When it was published.
    pub published_at: Timestamp,
    /// When it was first handed out.
    pub first_delivered_at: Timestamp,
    /// How often it was redriven.
    pub redrive_count: u32,
    /// Whether it came into the queue by a replay.
    pub replayed: bool,
    /// Whether it is given once more, to the `receive_id` that it was handed out to.
    pub again: bool,
    /// Whether failures of it are on record (then the store knows the last reason).
    pub failed_before: bool,
}

/// The result of settling one receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Which.
    pub receipt: Receipt,
    /// How it went.
    pub status: SettleStatus,
    /// When the lease runs out now; only of an extend that is done.
    pub lease_expires_at: Option<Timestamp>,
}

/// How settling one receipt went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettleStatus {
    /// Done (or the same nack was done before).
    Done,
    /// The message is gone, whoever ended it.
    AlreadySettled,
    /// The message still exists, but not under this receipt.
    LeaseLost,
}

/// What a redrive did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redriven {
    /// Which were redriven, oldest first.
    pub sequences: Vec<Sequence>,
    /// The places, in the list asked for, of ids that no dead letter has.
    pub not_found: Vec<usize>,
    /// Which stay dead letters, as the queue that they would go to holds them already.
    pub held: Vec<Sequence>,
    /// Which stay dead letters, as they can never fit into the queue that they would go to.
    pub too_large: Vec<Sequence>,
    /// Whether it stopped because the target was full.
    pub stopped_full: bool,
}

impl Redriven {
    /// Whether nothing more is redriven: it was so many, or there is no more room.
    #[must_use]
    pub fn is_over(&self, limit: Option<u64>) -> bool {
        self.stopped_full || limit.is_some_and(|limit| self.sequences.len() as u64 >= limit)
    }
}

/// Why a command was refused. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// No queue has that name.
    #[error("there is no queue {0}")]
    QueueNotFound(Name),
    /// No topic has that name.
    #[error("there is no topic {0}")]
    TopicNotFound(Name),
    /// That queue is not subscribed to that topic.
    #[error("queue {queue} is not subscribed to topic {topic}")]
    SubscriptionNotFound {
        /// The topic.
        topic: Name,
        /// The queue.
        queue: Name,
    },
    /// No message of that id waits in the queue.
    #[error("no such message in the queue")]
    MessageNotFound,
    /// No dead letter of that id is in the queue.
    #[error("no such dead letter in the queue")]
    DeadLetterNotFound,
    /// No paced redrive has that number.
    #[error("there is no redrive {}", .0.0)]
    RedriveNotFound(RedriveId),
    /// There are as many queues and topics as there may be.
    #[error("there are {limit} queues and topics already, and no more may be made")]
    TooManyQueues {
        /// How many of both there may be.
        limit: usize,
    },
    /// As many paced redrives run, or have as many dead letters before them, as may.
    #[error("there may be at the most {limit} {of} at a time")]
    TooManyRedrives {
        /// How many there may be.
        limit: usize,
        /// Of what.
        of: &'static str,
    },
    /// It was to be created only, and exists.
    #[error("it exists already")]
    AlreadyExists,
    /// A setting that cannot change while messages wait.
    #[error("{setting} cannot change now")]
    SettingConflict {
        /// Which.
        setting: &'static str,
    },
    /// Something is in the queue.
    #[error("the queue holds messages: {live} ready, leased or delayed, {dead} dead")]
    QueueNotEmpty {
        /// How many messages are ready, leased or delayed.
        live: u64,
        /// How many dead letters it has.
        dead: u64,
    },
    /// A message of the id is leased, so none of that id was removed.
    #[error("a message of this id is leased, so nothing was removed")]
    MessageLeased,
    /// A queue is full.
    #[error("queue {queue} is full")]
    QueueFull {
        /// Which.
        queue: Name,
        /// A fair time to wait before trying again.
        retry_after: Duration,
    },
    /// No queue takes what is published.
    #[error("no queue takes this message")]
    NoRoute {
        /// Which message of the publish no queue takes, the first such.
        index: usize,
    },
    /// The id was used for another message within the window.
    #[error("this id was used for another message")]
    IdReused {
        /// The place in the batch.
        index: usize,
    },
    /// It can never fit into the queue.
    #[error("it can never fit into queue {queue}: {limit}")]
    NeverFits {
        /// Which queue.
        queue: Name,
        /// The setting that stands against it: `max_bytes` or `max_messages`.
        limit: &'static str,
    },
    /// A receipt of another queue.
    #[error("receipt {index} is not of this queue")]
    ForeignReceipt {
        /// The place in the list.
        index: usize,
    },
    /// A setting out of its range.
    #[error("{field}: {detail}")]
    InvalidSetting {
        /// Which.
        field: &'static str,
        /// What is wrong and what is right.
        detail: Arc<str>,
    },
}
