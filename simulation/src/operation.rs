//! What a script is made of: turns, each with the calls that one group decides, and how the turn ends. A
//! script names everything by small numbers and never by what came of earlier calls, so that any part of
//! it can be left out and the rest still means something.

mod display;

use broker_core::{
    command::NackKind,
    settings::{OnFull, Ordering, Overflow},
};

/// How many queues the clients know.
pub const QUEUES: u8 = 6;
/// How many topics.
pub const TOPICS: u8 = 2;
/// From here on, a number of writes means all of them, but not the sync that follows.
pub const ALL_BUT_THE_SYNC: u8 = 20;
/// How many ids of messages.
pub const IDS: u8 = 24;

/// One turn: time passes, calls come, the group ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// How many milliseconds pass before.
    pub wait: u32,
    /// What the clients ask, in order.
    pub calls: Vec<Call>,
    /// How it ends.
    pub ending: Ending,
    /// What the disk's luck is drawn from, where it comes to that.
    pub dice: u32,
}

impl Turn {
    /// How many steps that is: each call, and whatever else happens.
    #[must_use]
    pub fn steps(&self) -> u64 {
        let more = u64::from(self.wait > 0) + u64::from(self.ending != Ending::Commit);
        (self.calls.len() as u64 + more).max(1)
    }
}

/// A client's call.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Call {
    Publish {
        to: Place,
        messages: Vec<New>,
        require_route: bool,
    },
    Receive {
        queue: u8,
        asks: Asks,
    },
    /// Settles the deliveries picked, counted from the latest receipt back; those of other queues than the
    /// first's are left out unless `mixed`.
    Settle {
        how: Settle,
        picks: Vec<u8>,
        mixed: bool,
    },
    PutQueue {
        queue: u8,
        change: QueueChange,
    },
    DeleteQueue {
        queue: u8,
        force: bool,
    },
    /// Spares the messages that were published last, so many.
    Purge {
        queue: u8,
        limit: Option<u8>,
        spares: Option<u8>,
    },
    Remove {
        queue: u8,
        id: u8,
    },
    PutTopic {
        topic: u8,
        retention: Option<u32>,
    },
    DeleteTopic {
        topic: u8,
    },
    Subscribe {
        topic: u8,
        queue: u8,
        on_full: Option<OnFull>,
        taste: Option<Taste>,
        start: Option<From>,
    },
    Unsubscribe {
        topic: u8,
        queue: u8,
    },
    Replay {
        topic: u8,
        queue: u8,
        from: From,
        to: Option<u32>,
    },
    Redrive {
        queue: u8,
        which: Which,
        to: u8,
        limit: Option<u8>,
        per_second: Option<u16>,
    },
    /// Stops the redrive so many before the latest.
    StopRedrive {
        back: u8,
    },
    Discard {
        queue: u8,
        which: Which,
    },
    /// The disk gives back other bytes than were written of messages, counted back from the one that comes next:
    /// as the engine does then, a queue's copies of them are made dead letters.
    Damage {
        queue: u8,
        messages: Vec<u8>,
    },
    /// The answer to the previous call was lost: it is sent again.
    Again,
}

/// Where a publish goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Place {
    Queue(u8),
    Topic(u8),
}

/// A message to be published. Times are milliseconds.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct New {
    pub id: u8,
    pub key: Option<u8>,
    pub size: u8,
    pub delay: Option<u16>,
    pub ttl: Option<u16>,
    pub kind: u8,
    /// The id is used for something else than elsewhere.
    pub other_content: bool,
    /// The broker makes the id: nothing is remembered.
    pub nameless: bool,
    /// How long the body is beyond what identifies it; not what it counts.
    pub filler: u16,
}

/// What a receive asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Asks {
    pub max: u8,
    pub lease: Option<u32>,
    pub max_bytes: Option<u8>,
    pub auto_ack: bool,
    pub receive_id: Option<u8>,
    /// The connection is found closed when the answer is to be written.
    pub hangs_up: bool,
}

/// How deliveries are settled. Times are milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Settle {
    Ack,
    Nack(NackKind, Option<u16>),
    Extend(u16),
}

/// A change of a queue's settings; one that is not there is made with its own settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum QueueChange {
    Nothing,
    MaxMessages(u8),
    MaxDeliveries(u8),
    MaxDeadLetters(u8),
    Overflow(Overflow),
    Ordering(Ordering),
    Ttl(Option<u16>),
    Lease(u16),
}

/// Which messages a subscription takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Taste {
    All,
    Only(u8),
    Not(u8),
    Prefix,
}

/// From when on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum From {
    New,
    Earliest,
    /// So many milliseconds ago.
    Ago(u32),
}

/// Which dead letters.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Which {
    All,
    Ids(Vec<u8>),
    /// Counted back from the message that comes next; they may be anything by now.
    Numbers(Vec<u8>),
    /// The oldest so many, but none that died when the group had begun.
    Oldest(u8),
}

/// How the disk fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A write finds no room.
    NoRoom,
    /// A write or sync fails for good.
    Write,
    /// A read fails.
    Read,
}

/// How a turn ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The group is committed and answered.
    Commit,
    /// The power fails after so many of the commit's writes and syncs; when it makes fewer, after them.
    PowerFails {
        /// How many are done; see [`ALL_BUT_THE_SYNC`].
        after: u8,
        /// What the wall clock shows at the next start, against the broker's time, in milliseconds.
        clock: i32,
    },
    /// The broker is stopped and started again after the commit.
    Restart {
        /// What the wall clock shows then.
        clock: i32,
    },
    /// One of the group's writes, syncs or reads fails.
    IoFails {
        /// How many are done before.
        after: u8,
        /// How it fails.
        how: Failure,
        /// What the wall clock shows at the next start, where the broker has to be started again.
        clock: i32,
    },
    /// After the commit, a checkpoint.
    Checkpoint,
    /// After the commit, a checkpoint in which the power fails.
    CheckpointPowerFails {
        /// After how many writes and syncs; see [`ALL_BUT_THE_SYNC`].
        after: u8,
        /// What the wall clock shows at the next start.
        clock: i32,
    },
    /// After the commit, the disk has room for so many more pages; `None` for any number.
    Room {
        /// How many pages of 4 KiB.
        pages: Option<u8>,
    },
}
