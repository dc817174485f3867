//! Declares again what was declared last, where it may be missing: no service needs to be started again because
//! its queue was removed, or because the engine came back without its data.
//!
//! After a call that missed something, or was not answered at all, the whole topology is declared before anything
//! is published or received: what was published in between would reach those queues alone that others have
//! declared by then. A queue that was removed misses what is published until its own consumer misses it, and a
//! subscription that was taken away is not missed by any call.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;

use super::{
    Delivery, Destination, Guarantee, PublishError, Receive, Settled, Settlement, Transport, TransportError,
    Verdict,
};
use crate::{event::Event, topology::Topology};

/// An engine, and what was last declared on it.
#[derive(Debug)]
pub(super) struct Declaring {
    engine: Arc<dyn Transport>,
    declared: Mutex<Option<Topology>>,
    /// How often a call said that something may be missing; and how many of these a declaration came after.
    doubts: AtomicU64,
    cleared: AtomicU64,
    /// One declares; the others wait for it.
    declares: tokio::sync::Mutex<()>,
}

impl Declaring {
    pub(super) fn new(engine: Arc<dyn Transport>) -> Self {
        Self {
            engine,
            declared: Mutex::default(),
            doubts: AtomicU64::new(0),
            cleared: AtomicU64::new(0),
            declares: tokio::sync::Mutex::default(),
        }
    }

    /// Declares again where something may be missing.
    async fn make_sure(&self) -> Result<(), TransportError> {
        if !self.is_in_doubt() {
            return Ok(());
        }
        let _declares = self.declares.lock().await;
        let doubts = self.doubts.load(Ordering::SeqCst);
        let declared = self.declared.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(topology) = declared.filter(|_| self.is_in_doubt()) {
            self.engine.declare(&topology).await?;
            tracing::info!("declared_again");
        }
        self.cleared.store(doubts, Ordering::SeqCst);
        Ok(())
    }

    fn is_in_doubt(&self) -> bool {
        self.cleared.load(Ordering::SeqCst) != self.doubts.load(Ordering::SeqCst)
    }

    /// What a failure says of the topology. An engine that asks to be tried again later is the one it was.
    fn learn(&self, error: &TransportError) {
        let doubtful = match error {
            TransportError::Missing(_) => true,
            TransportError::Unreachable { retry_after, .. } => retry_after.is_none(),
            _ => false,
        };
        if doubtful {
            self.doubts.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[async_trait]
impl Transport for Declaring {
    fn system(&self) -> &'static str {
        self.engine.system()
    }

    fn guarantee(&self, guarantee: Guarantee) -> Verdict {
        self.engine.guarantee(guarantee)
    }

    async fn declare(&self, topology: &Topology) -> Result<(), TransportError> {
        self.engine.declare(topology).await?;
        *self.declared.lock().unwrap_or_else(PoisonError::into_inner) = Some(topology.clone());
        Ok(())
    }

    async fn publish(&self, to: &Destination, events: &[Event]) -> Vec<Result<(), PublishError>> {
        if let Err(error) = self.make_sure().await {
            return vec![Err(PublishError::Unavailable(error)); events.len()];
        }
        let published = self.engine.publish(to, events).await;
        let failed = published.iter().find_map(|result| match result {
            Err(PublishError::Unavailable(error)) => Some(error),
            _ => None,
        });
        failed.into_iter().for_each(|error| self.learn(error));
        published
    }

    async fn receive(&self, queue: &str, receive: &Receive) -> Result<Vec<Delivery>, TransportError> {
        self.make_sure().await?;
        self.engine.receive(queue, receive).await.inspect_err(|error| self.learn(error))
    }

    async fn settle(&self, queue: &str, settlements: &[Settlement]) -> Result<Vec<Settled>, TransportError> {
        self.engine.settle(queue, settlements).await.inspect_err(|error| self.learn(error))
    }

    async fn ready(&self) -> Result<(), TransportError> {
        self.engine.ready().await
    }
}
