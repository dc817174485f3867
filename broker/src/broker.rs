//! The handle by which the api, and whoever embeds the broker, talks to the engine's thread. What may concern
//! more messages than one group should is in `slices`.

mod figures;
mod slices;

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use broker_core::{
    Core,
    change::{AuditRecord, FailureRecord},
    command::{Command, Receive},
    identity::{Name, QueueId, Selector, Sequence},
    reply::Reply,
};
use serve::health::Health;
use tokio::sync::{oneshot, watch};
use units::Timestamp;

use crate::{
    engine::{
        choosing::FEW,
        feed::{Feed, Position, Watcher},
        handout::Handout,
        journey::{Journey, Sight},
        line::{Item, Line},
        note::Note,
        parked::Waiter,
        readers::Readers,
        view::View,
    },
    error::BrokerError,
    store::Found,
};

/// How far the broker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It reads its data folder. What is asked of it meanwhile waits.
    Loading,
    /// It takes work.
    Ready,
    /// It finishes what it has and takes no new connections.
    Draining,
    /// It has stopped, or could not start.
    Stopped,
}

/// An asynchronous handle on a running broker; cheap to clone.
#[derive(Clone)]
pub struct Broker {
    line: Arc<Line>,
    readers: Arc<Readers>,
    feed: Arc<Feed>,
    readiness: watch::Receiver<Readiness>,
    health: Health,
}

impl Broker {
    pub(crate) fn new(
        line: Arc<Line>,
        readers: Arc<Readers>,
        feed: Arc<Feed>,
        readiness: watch::Receiver<Readiness>,
        health: Health,
    ) -> Self {
        Self { line, readers, feed, readiness, health }
    }

    /// Has a command decided, and answers once the decision is on disk (committed and synced). Dropping
    /// the future does not take the command back, also where it takes very many of what a topic retains, by a
    /// filter, and that is looked through for as long as it takes. Receives go through [`Self::receive`].
    ///
    /// # Errors
    /// What [`BrokerError`] lists.
    pub async fn send(&self, command: Command) -> Result<Reply, BrokerError> {
        self.send_noted(command, None).await
    }

    /// The same for something that is done by hand; when it is carried out, the audit trail says so.
    ///
    /// # Errors
    /// What [`BrokerError`] lists.
    pub async fn send_by_hand(&self, command: Command, note: Note) -> Result<Reply, BrokerError> {
        self.send_noted(command, Some(Box::new(note))).await
    }

    async fn send_noted(&self, command: Command, note: Option<Box<Note>>) -> Result<Reply, BrokerError> {
        let (reply, answer) = oneshot::channel();
        self.line.push(Item::Command { command, note, reply, arrived: Instant::now(), few: FEW })?;
        answer.await.map_err(|_| BrokerError::Stopped)?
    }

    /// Has the audit trail tell of what was done beside the engine, however much waits. Dropping the future does
    /// not take it back.
    ///
    /// # Errors
    /// [`BrokerError::StorageFull`] or [`BrokerError::Stopped`]; then the trail does not tell of it.
    pub async fn tell(&self, note: Note) -> Result<(), BrokerError> {
        let (noted, answer) = oneshot::channel();
        self.line.push_own(Item::Note(Box::new(note), noted));
        answer.await.map_err(|_| BrokerError::Stopped)?
    }

    /// Receives messages; where there is none, waits up to `wait` for one. Dropping the future, or the
    /// [`Handout`] before it is kept, gives the messages back uncounted, unless the receive has a
    /// `receive_id` or acks by itself.
    ///
    /// # Errors
    /// What [`BrokerError`] lists.
    pub async fn receive(&self, receive: Receive, wait: Duration) -> Result<Handout, BrokerError> {
        let (reply, answer) = oneshot::channel();
        self.line.push(Item::Receive(Waiter::new(receive, wait, reply)))?;
        answer.await.map_err(|_| BrokerError::Stopped)?
    }

    /// Looks at the committed state, at the broker's present time. The closure runs on the engine's
    /// thread: it must be short.
    ///
    /// # Errors
    /// [`BrokerError::Busy`] or [`BrokerError::Stopped`].
    pub async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Core, Timestamp) -> T + Send + 'static,
    ) -> Result<T, BrokerError> {
        self.view(|view| look(view.core, view.now)).await
    }

    /// The stored events of these messages; `None` for those that are gone.
    ///
    /// # Errors
    /// [`BrokerError::Unreadable`] or [`BrokerError::Stopped`].
    pub async fn records(&self, sequences: Vec<Sequence>) -> Result<Vec<Option<Found>>, BrokerError> {
        self.readers.read(move |reader| reader.records(&sequences)).await
    }

    /// The failures on record of one message in one queue, oldest first; the last 50.
    ///
    /// # Errors
    /// [`BrokerError::Unreadable`] or [`BrokerError::Stopped`].
    pub async fn history(
        &self,
        queue: QueueId,
        sequence: Sequence,
    ) -> Result<Vec<FailureRecord>, BrokerError> {
        self.readers.read(move |reader| reader.failures(queue, sequence)).await
    }

    /// The latest failure of each of these messages in one queue.
    ///
    /// # Errors
    /// [`BrokerError::Unreadable`] or [`BrokerError::Stopped`].
    pub async fn last_failures(
        &self,
        queue: QueueId,
        sequences: Vec<Sequence>,
    ) -> Result<Vec<Option<FailureRecord>>, BrokerError> {
        self.readers.read(move |reader| reader.last_failures(queue, &sequences)).await
    }

    /// What was done by hand, newest first, those before a number.
    ///
    /// # Errors
    /// [`BrokerError::Unreadable`] or [`BrokerError::Stopped`].
    pub async fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditRecord>, BrokerError> {
        self.readers.read(move |reader| reader.audit(before, limit)).await
    }

    /// What happened to the newest message of that id, as far as memory reaches; `None` when neither memory
    /// nor the queues know one. A message that still exists
    /// and that memory knows nothing of (after a restart) is in [`Journey::places`] all the same.
    ///
    /// # Errors
    /// [`BrokerError::Busy`] or [`BrokerError::Stopped`].
    pub async fn journey(
        &self,
        selector: Selector,
        sight: Box<Sight>,
    ) -> Result<Option<Journey>, BrokerError> {
        self.view(move |view| view.journeys.of(selector, view.core, &*sight)).await
    }

    /// What queues are called, those too that are gone lately.
    ///
    /// # Errors
    /// [`BrokerError::Busy`] or [`BrokerError::Stopped`].
    pub async fn queue_names(&self, queues: Vec<QueueId>) -> Result<Vec<Option<Name>>, BrokerError> {
        self.view(move |view| queues.iter().map(|id| view.journeys.queue_name(*id)).collect()).await
    }

    /// Watches what happens: from now on, or behind a place where a watcher stood before; `None` when too
    /// many watch already.
    #[must_use]
    pub fn watch(&self, after: Option<Position>) -> Option<Watcher> {
        self.feed.watch(after)
    }

    /// When this run of the broker began: places in the feed are good for as long as it lasts.
    #[must_use]
    pub fn began(&self) -> Timestamp {
        self.feed.began
    }

    /// Whether a watcher can have stood at that place.
    #[must_use]
    pub fn has_reached(&self, position: Position) -> bool {
        self.feed.has_reached(position)
    }

    /// What `/readyz` says.
    #[must_use]
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// How far the broker is.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        *self.readiness.borrow()
    }

    /// Waits until the broker takes work.
    ///
    /// # Errors
    /// [`BrokerError::Stopped`] when it could not start.
    pub async fn ready(&self) -> Result<(), BrokerError> {
        let mut readiness = self.readiness.clone();
        let reached = readiness.wait_for(|now| *now != Readiness::Loading).await;
        match reached.map(|now| *now) {
            Ok(Readiness::Ready) => Ok(()),
            _ => Err(BrokerError::Stopped),
        }
    }

    /// Waits until the broker begins to stop.
    pub async fn draining(&self) {
        let mut readiness = self.readiness.clone();
        let ends = |now: &Readiness| matches!(now, Readiness::Draining | Readiness::Stopped);
        // An error means that the engine is gone altogether.
        let _ = readiness.wait_for(ends).await;
    }

    /// Waits until the broker has stopped.
    pub async fn stopped(&self) {
        let mut readiness = self.readiness.clone();
        // An error means that the engine is gone altogether.
        let _ = readiness.wait_for(|now| *now == Readiness::Stopped).await;
    }

    async fn view<T: Send + 'static>(
        &self,
        look: impl FnOnce(&View<'_>) -> T + Send + 'static,
    ) -> Result<T, BrokerError> {
        let (reply, answer) = oneshot::channel();
        let look = move |view: &View<'_>| {
            // Whoever asked may have gone away meanwhile.
            let _ = reply.send(look(view));
        };
        self.line.push(Item::Look(Box::new(look)))?;
        answer.await.map_err(|_| BrokerError::Stopped)
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker").field("readiness", &self.readiness()).finish_non_exhaustive()
    }
}
