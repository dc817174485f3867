//! What the core can be told to do. One variant a call of the HTTP contract that changes state; calls
//! that only look are methods of [`Core`](crate::Core).

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use units::Timestamp;

use crate::{
    choice::Chosen,
    filter::{Attributes, Filter},
    identity::{Identity, Name, Receipt, RedriveId, Selector, Sequence},
    settings::{OnFull, QueueSettingsPatch, Start, TopicSettingsPatch},
};

/// A call that may change state.
#[derive(Clone, Debug)]
pub enum Command {
    /// Create a queue, or change the settings of one.
    PutQueue {
        /// Its name.
        name: Name,
        /// What to set.
        settings: QueueSettingsPatch,
        /// Refuse when it exists (`If-None-Match: *`).
        only_create: bool,
    },
    /// Remove a queue with its messages and subscriptions.
    DeleteQueue {
        /// Its name.
        name: Name,
        /// Also when anything is in it.
        force: bool,
    },
    /// Drop the ready and delayed messages of a queue, in the queue's order.
    PurgeQueue {
        /// Its name.
        name: Name,
        /// Only those that were stored before this one; `None` is all.
        before: Option<Sequence>,
        /// How many at the most.
        limit: Option<u64>,
    },
    /// Create a topic, or change the settings of one.
    PutTopic {
        /// Its name.
        name: Name,
        /// What to set.
        settings: TopicSettingsPatch,
        /// Refuse when it exists.
        only_create: bool,
    },
    /// Remove a topic with its subscriptions.
    DeleteTopic {
        /// Its name.
        name: Name,
    },
    /// Subscribe a queue to a topic, or change the subscription.
    PutSubscription {
        /// The topic.
        topic: Name,
        /// The queue.
        queue: Name,
        /// What to set.
        settings: SubscriptionPatch,
        /// Refuse when it exists.
        only_create: bool,
        /// Which of the retained messages it begins with, see [`Core::to_be_chosen`](crate::Core::to_be_chosen).
        chosen: Chosen,
    },
    /// Take a subscription away; messages already in the queue stay.
    DeleteSubscription {
        /// The topic.
        topic: Name,
        /// The queue.
        queue: Name,
    },
    /// Put retained messages into a subscribed queue again, all or none, in publish order. One that is in
    /// the queue already, in whatever state, is passed over.
    Replay {
        /// The topic.
        topic: Name,
        /// The queue.
        queue: Name,
        /// Of what time they are.
        span: Span,
        /// Which of them, see [`Core::to_be_chosen`](crate::Core::to_be_chosen).
        chosen: Chosen,
    },
    /// Publish messages, all or none, in order.
    Publish(Publish),
    /// Hand out messages under a lease.
    Receive(Receive),
    /// Settle deliveries as done.
    Ack {
        /// The queue.
        queue: Name,
        /// Which; 1 to 1000.
        receipts: Vec<Receipt>,
    },
    /// End deliveries as failed, or hand them back uncounted.
    Nack(Nack),
    /// Let leases run on.
    Extend {
        /// The queue.
        queue: Name,
        /// Which; 1 to 1000.
        receipts: Vec<Receipt>,
        /// How long from now.
        lease: Duration,
    },
    /// Remove the waiting messages of that id.
    RemoveMessage {
        /// The queue.
        queue: Name,
        /// Which.
        message: Selector,
    },
    /// Put dead letters back among the waiting messages, of this queue or another.
    Redrive {
        /// The queue whose dead letters they are.
        queue: Name,
        /// Which.
        which: DeadLetters,
        /// Where to; `None` is the queue itself.
        to: Option<Name>,
        /// How many at the most, oldest first.
        limit: Option<u64>,
    },
    /// Redrive dead letters so many a second. Which ones is decided now; those that are no dead letters of
    /// the queue any more when it is their turn are passed over.
    StartRedrive {
        /// The queue whose dead letters they are.
        queue: Name,
        /// Which.
        which: DeadLetters,
        /// Where to; `None` is the queue itself.
        to: Option<Name>,
        /// How many at the most, oldest first.
        limit: Option<u64>,
        /// The pace; 1 to 100,000.
        per_second: u32,
    },
    /// Stop a paced redrive where it still runs, and forget it.
    StopRedrive {
        /// Which.
        redrive: RedriveId,
    },
    /// Make dead letters of messages that wait or are leased, because they can't be handed out. Those that are
    /// neither are passed over.
    DeadLetter {
        /// The queue that holds them.
        queue: Name,
        /// Which.
        sequences: Vec<Sequence>,
        /// Why; at most 4 KiB.
        reason: Arc<str>,
    },
    /// Discard dead letters.
    DiscardDeadLetters {
        /// The queue whose dead letters they are.
        queue: Name,
        /// Which.
        which: DeadLetters,
    },
}

impl Command {
    /// Which retained messages it takes; `None` for a command that takes none.
    pub(crate) fn chosen_mut(&mut self) -> Option<&mut Chosen> {
        match self {
            Self::Replay { chosen, .. } | Self::PutSubscription { chosen, .. } => Some(chosen),
            _ => None,
        }
    }
}

/// A change of a subscription: what is `None` keeps its value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubscriptionPatch {
    /// What to do when the queue is full.
    pub on_full: Option<OnFull>,
    /// Which messages it takes; `Some(None)` takes the filter away.
    pub filter: Option<Option<Filter>>,
    /// What it begins with; it can't change later.
    pub start: Option<Start>,
}

/// From when until when messages were published, both included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// `None` for the earliest that is retained.
    pub from: Option<Timestamp>,
    /// `None` for the latest.
    pub to: Option<Timestamp>,
}

/// Which dead letters a call means.
#[derive(Clone, Debug)]
pub enum DeadLetters {
    /// All of them.
    All,
    /// Those of these ids (every source of an id, unless narrowed).
    Ids(Vec<Selector>),
    /// Those of these messages that are dead letters of the queue, in this order.
    Sequences(Vec<Sequence>),
    /// The oldest of them, up to one that died at that time and has that number, included.
    Oldest {
        /// How many at the most.
        most: usize,
        /// The last that may be among them.
        last: (Timestamp, Sequence),
    },
}

/// Where a publish goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// One queue.
    Queue(Name),
    /// Every queue subscribed to a topic.
    Topic(Name),
}

/// A publish of one message or a batch.
#[derive(Clone, Debug)]
pub struct Publish {
    /// Where to.
    pub destination: Destination,
    /// The messages, in order; at least one.
    pub messages: Vec<NewMessage>,
    /// Refuse when one of them would wait in no queue (`Require-Route: true`).
    pub require_route: bool,
}

/// A message to be published.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// Who it is.
    pub identity: Identity,
    /// Whether the publisher gave the id: only such ids are remembered and deduplicated.
    pub deduplicate: bool,
    /// Digest of type, subject, key, content type and data: tells a repeat from an id used again.
    pub fingerprint: u64,
    /// Its partition key.
    pub key: Option<Arc<str>>,
    /// What counts against `max_bytes`: the bytes of attributes and data.
    pub size: u32,
    /// When it can first be received; `None` leaves it to the queue's `delay`.
    pub available: Option<When>,
    /// When it expires; `None` leaves it to the queue's `ttl`.
    pub expires: Option<When>,
    /// What filters look at; empty where it goes to a queue.
    pub attributes: Attributes,
    /// The event as it is stored. The core hands it on and never looks inside.
    pub record: Bytes,
}

/// A time, given outright or as a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At that time (`deliverat`, `expiresat`).
    At(Timestamp),
    /// After that length: of now for a delay, of when it can first be received for a TTL.
    After(Duration),
}

/// A receive.
#[derive(Clone, Debug)]
pub struct Receive {
    /// The queue.
    pub queue: Name,
    /// How many at the most; 1 to 1000.
    pub max: usize,
    /// How long the lease lasts; `None` takes the queue's.
    pub lease: Option<Duration>,
    /// How many bytes at the most; one message always fits.
    pub max_bytes: u64,
    /// How many of them each message takes beside its own size.
    pub bytes_beside: u32,
    /// Remove as handed out (at most once).
    pub auto_ack: bool,
    /// Who receives, for histories.
    pub consumer: Option<Arc<str>>,
    /// Names the receive, so that a lost answer can be asked for again.
    pub receive_id: Option<Arc<str>>,
}

/// A nack.
#[derive(Clone, Debug)]
pub struct Nack {
    /// The queue.
    pub queue: Name,
    /// Which deliveries; 1 to 1000.
    pub receipts: Vec<Receipt>,
    /// How long until they are ready again; `None` takes the queue's backoff.
    pub delay: Option<Duration>,
    /// Why, kept in the history; at most 4 KiB.
    pub reason: Option<Arc<str>>,
    /// What kind of end it is.
    pub kind: NackKind,
}

/// What a nack means for the count of deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NackKind {
    /// A failed delivery, counted; the last one makes it a dead letter.
    Failed,
    /// A dead letter at once.
    DeadLetter,
    /// Handed back in its place, the delivery not counted.
    Uncounted,
}
