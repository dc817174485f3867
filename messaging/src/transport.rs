//! What an engine must do to carry our events: the whole contract. One engine a file stands below;
//! nothing above knows which it is.

mod declaring;
mod errors;
mod guarantee;
pub mod http;
mod settlement;
mod token;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use units::Timestamp;

use self::declaring::Declaring;
pub use self::{
    errors::{PublishError, TransportError, UnknownTransport},
    guarantee::{Guarantee, Verdict},
    settlement::{Settle, Settled, Settlement},
    token::Token,
};
use crate::{
    event::{Event, InvalidEvent},
    topology::Topology,
};

/// An engine that carries events. All methods may be called from many tasks at once.
///
/// What an engine can't do by itself its transport emulates, or says that it is
/// [`Verdict::NotGuaranteed`]; it never pretends. The suite in [`crate::conformance`] holds every
/// transport to what it says.
#[async_trait]
pub trait Transport: Send + Sync + fmt::Debug + 'static {
    /// What the engine is called in traces and metrics (OpenTelemetry's `messaging.system`).
    fn system(&self) -> &'static str;

    /// How it keeps a promise.
    fn guarantee(&self, guarantee: Guarantee) -> Verdict;

    /// Makes sure that the topology is there. Declaring the same again changes nothing.
    ///
    /// # Errors
    /// [`TransportError::Conflict`], which names the settings, when something of a name is there but
    /// can't be made what is declared.
    async fn declare(&self, topology: &Topology) -> Result<(), TransportError>;

    /// Publishes in order, and answers for each event in its place, once it is safe: `Ok` is the
    /// engine's durable confirm. An event that was published before is `Ok` and is not doubled, where
    /// the engine deduplicates. One that reaches no queue is an error, never lost in silence. One that
    /// is refused for good does not keep the others from going; once one could not be sent at all,
    /// none after it in the batch is sent.
    async fn publish(&self, to: &Destination, events: &[Event]) -> Vec<Result<(), PublishError>>;

    /// Takes up to `receive.max` deliveries from a queue, and waits up to `receive.wait` for the first.
    /// What can't be read as an event is delivered too, so that it can be settled. An engine that lacks
    /// leases holds the messages for this consumer as long as it extends them.
    ///
    /// # Errors
    /// When the engine can't be reached or refuses. With [`Mode::Leased`], asking again with the same
    /// `receive_id` then gives what the lost answer held, where the engine keeps it.
    async fn receive(&self, queue: &str, receive: &Receive) -> Result<Vec<Delivery>, TransportError>;

    /// Settles or extends, each by its receipt, and answers for each in its place. Settling the same
    /// again is harmless: it answers [`Settled::Already`].
    ///
    /// A [`Settle::DeadLetter`], and a [`Settle::Nack`] of the last delivery that the queue allows,
    /// make the message a dead letter with the reason; where the engine can't record one, the transport
    /// publishes it to the dead-letter destination itself, awaits the confirm, and then acks.
    ///
    /// # Errors
    /// When the engine can't be reached: some may have been settled. All may be tried again.
    async fn settle(&self, queue: &str, settlements: &[Settlement]) -> Result<Vec<Settled>, TransportError>;

    /// Whether the engine can be reached and would serve.
    ///
    /// # Errors
    /// Why not.
    async fn ready(&self) -> Result<(), TransportError>;
}

/// Where an event is published to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Destination {
    /// A topic: every queue subscribed to it gets a copy.
    Topic(String),
    /// One queue.
    Queue(String),
}

impl Destination {
    /// The topic of that name.
    pub fn topic(name: impl Into<String>) -> Self {
        Self::Topic(name.into())
    }

    /// The queue of that name.
    pub fn queue(name: impl Into<String>) -> Self {
        Self::Queue(name.into())
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Topic(name) | Self::Queue(name) => name,
        }
    }
}

/// What is asked for in one receive.
#[derive(Clone, Debug)]
pub struct Receive {
    /// At most so many deliveries: 1 to 1000.
    pub max: usize,
    /// How long to wait for the first: 0 to 60 s.
    pub wait: Duration,
    /// Who asks: shown in histories.
    pub consumer: String,
    /// Under a lease, or gone as it is handed out.
    pub mode: Mode,
}

/// How messages are handed out.
#[derive(Clone, Debug)]
pub enum Mode {
    /// At least once: each is leased until it is settled or the lease runs out.
    Leased {
        /// How long: 100 ms to 12 h.
        lease: Duration,
        /// Names this receive, so that an answer that was lost can be asked for again.
        receive_id: String,
    },
    /// At most once: each is gone as it is handed out.
    AtMostOnce,
}

/// One handing-out of a message.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The event, or why what was stored is none.
    pub event: Result<Event, InvalidEvent>,
    /// The hold on it; none where it was handed out at most once.
    pub lease: Option<Lease>,
    /// 1 at first. Where the engine does not count, always 1.
    pub delivery_count: u32,
}

/// The exclusive hold on a message for a time.
#[derive(Clone, Debug)]
pub struct Lease {
    /// The proof of it.
    pub receipt: Receipt,
    /// When it runs out by the engine's clock: to show, not to count by.
    pub expires_at: Timestamp,
}

/// The fenced proof of a lease, as the engine gave it: opaque to all but its transport.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Receipt(Arc<str>);

impl Receipt {
    /// Wraps what an engine calls it.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// What the engine calls it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Opens the transport that a URL names by its scheme: `http` and `https` are our own broker, which is shown the
/// token. What was declared last through it is declared again, whole, where it may be missing.
///
/// # Errors
/// [`UnknownTransport`] when no engine of that scheme was built in, or the URL or the token can't be used.
pub fn connect(url: &str, token: Option<&Token>) -> Result<Arc<dyn Transport>, UnknownTransport> {
    let engine = match url.split_once("://").map(|(scheme, _)| scheme) {
        Some("http" | "https") => http::HttpTransport::new(url, token)?,
        _ => return Err(UnknownTransport::Scheme(url.to_owned())),
    };
    Ok(Arc::new(Declaring::new(Arc::new(engine))))
}
