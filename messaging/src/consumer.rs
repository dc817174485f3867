//! The consumer: takes messages from one queue under leases, runs the handler on each, and settles it
//! by what became of that. The parts stand in `consumer/`: `work` is the loop, `held` keeps order per
//! key, `leases` extends, `pace` slows down when everything fails, `settler` settles in batches.

mod attempt;
mod held;
mod leases;
mod pace;
mod receiver;
mod settler;
mod work;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use self::work::Work;
use crate::{
    event::Event,
    failure::Failure,
    status::{Report, Status},
    transport::Transport,
};

/// How many messages are handled at once, unless told otherwise.
const CONCURRENCY: usize = 64;
/// How long a lease runs, unless told otherwise. It is extended while a handler works, so that it says
/// only how long a crash holds a message up.
const LEASE: Duration = Duration::from_secs(5);
/// How long handlers may go on after a shutdown began, unless told otherwise.
const GRACE: Duration = Duration::from_secs(5);

/// What is done with each message.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Does what follows from an event. It may come more than once: see [`crate::inbox`]. Its
    /// `traceparent` is that of the handler's own span, so that what it [causes](Event::caused) hangs
    /// below it.
    ///
    /// # Errors
    /// [`Failure`] says what is to become of the message. A panic counts as transient.
    async fn handle(&self, event: &Event) -> Result<(), Failure>;
}

/// How deliveries end that were not handled to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Promise {
    AtLeastOnce,
    AtMostOnce,
}

/// Handles the messages of one queue. Build it, then [`Self::run`] it.
pub struct Consumer {
    settings: Settings,
    transport: Arc<dyn Transport>,
    handler: Arc<dyn Handler>,
    report: Report,
}

#[derive(Clone, Debug)]
struct Settings {
    queue: String,
    name: String,
    concurrency: usize,
    lease: Duration,
    grace: Duration,
    promise: Promise,
}

impl Consumer {
    /// A consumer of `queue`, called `name` in histories.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>, queue: &str, name: &str, handler: Arc<dyn Handler>) -> Self {
        let settings = Settings {
            queue: queue.to_owned(),
            name: name.to_owned(),
            concurrency: CONCURRENCY,
            lease: LEASE,
            grace: GRACE,
            promise: Promise::AtLeastOnce,
        };
        Self { settings, transport, handler, report: Report::new(Some("not connected to the broker yet")) }
    }

    /// At most so many messages are handled at once, 1 to 500; 64 unless told otherwise. As many again
    /// are held ready, so that handlers never wait for the broker.
    #[must_use]
    pub fn concurrency(mut self, concurrency: usize) -> Self {
        self.settings.concurrency = concurrency.clamp(1, 500);
        self
    }

    /// How long a lease runs, 100 ms to 12 h; 5 s unless told otherwise.
    #[must_use]
    pub const fn lease(mut self, lease: Duration) -> Self {
        self.settings.lease = lease;
        self
    }

    /// How long handlers may go on after a shutdown began; 5 s unless told otherwise.
    #[must_use]
    pub const fn grace(mut self, grace: Duration) -> Self {
        self.settings.grace = grace;
        self
    }

    /// Messages are gone as they are handed out: what fails, or is in hand at a crash, is lost. For work
    /// where that is cheaper than doing it twice.
    #[must_use]
    pub const fn at_most_once(mut self) -> Self {
        self.settings.promise = Promise::AtMostOnce;
        self
    }

    /// How it fares: in trouble until it has reached the broker, while that is away, and while
    /// everything fails.
    #[must_use]
    pub fn status(&self) -> Status {
        self.report.status()
    }

    /// Handles messages until `shutdown`; then finishes what runs, within the grace, and hands the rest
    /// back uncounted.
    pub async fn run(self, shutdown: CancellationToken) {
        Work::new(self.settings, self.transport, self.handler, self.report).run(shutdown).await;
    }
}
