//! Publishes events one by one at the speed of batches: while one request is in flight, what else is
//! published waits and goes as one batch. No timer: an idle publisher sends at once.

use std::{collections::HashMap, sync::Arc};

use futures_util::future::join_all;
use tokio::sync::{mpsc, oneshot};

use crate::{
    event::Event,
    transport::{Destination, PublishError, Transport, TransportError},
};

/// How many events go in one batch.
const MAX_BATCH: usize = 512;
/// How many may wait before callers wait for room.
const MAX_WAITING: usize = 8192;

/// Publishes events; cheap to clone. What was published first to a destination is sent first.
///
/// A service's facts belong in its [outbox](crate::outbox); this is for what has no transaction.
#[derive(Clone, Debug)]
pub struct Publisher {
    waiting: mpsc::Sender<Waiting>,
}

struct Waiting {
    to: Destination,
    event: Event,
    answer: oneshot::Sender<Result<(), PublishError>>,
}

impl Publisher {
    /// A publisher to that transport. It ends when its last clone is dropped and all are answered.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        let (waiting, received) = mpsc::channel(MAX_WAITING);
        tokio::spawn(run(transport, received));
        Self { waiting }
    }

    /// Publishes an event, and answers after its durable confirm. It may be sent even when the caller
    /// stops waiting.
    ///
    /// # Errors
    /// [`PublishError::Refused`] when it never will be taken; [`PublishError::Unavailable`] when it may
    /// be later: it may even have been stored, so publish the same event (the same id) again.
    pub async fn publish(&self, to: &Destination, event: Event) -> Result<(), PublishError> {
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { to: to.clone(), event, answer };
        self.waiting.send(waiting).await.map_err(|_| ended())?;
        answered.await.unwrap_or_else(|_| Err(ended()))
    }
}

fn ended() -> PublishError {
    let detail = "the publisher has ended".to_owned();
    TransportError::Unreachable { detail, retry_after: None }.into()
}

async fn run(transport: Arc<dyn Transport>, mut received: mpsc::Receiver<Waiting>) {
    let mut batch = Vec::with_capacity(MAX_BATCH);
    while received.recv_many(&mut batch, MAX_BATCH).await > 0 {
        let mut destinations: HashMap<Destination, (Vec<Event>, Vec<_>)> = HashMap::new();
        for waiting in batch.drain(..) {
            let (events, answers) = destinations.entry(waiting.to).or_default();
            events.push(waiting.event);
            answers.push(waiting.answer);
        }
        let calls = destinations.into_iter().map(|(to, (events, answers))| {
            let transport = &transport;
            async move {
                let results = transport.publish(&to, &events).await;
                for (answer, result) in answers.into_iter().zip(results) {
                    // The caller may have stopped waiting.
                    let _ = answer.send(result);
                }
            }
        });
        join_all(calls).await;
    }
}
