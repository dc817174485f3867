//! Declares again what was declared and is there no more: no service needs to be started again because its
//! queue was removed, or because the engine came back without its data.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::{
    Delivery, Destination, Guarantee, PublishError, Receive, Settled, Settlement, Transport, TransportError,
    Verdict,
};
use crate::{event::Event, topology::Topology};

/// An engine, and what was last declared on it. A call that misses something fails all the same: its caller tries
/// again, as it does after any outage, and then it is there.
#[derive(Debug)]
pub(super) struct Declaring {
    engine: Arc<dyn Transport>,
    declared: Mutex<Option<Topology>>,
}

impl Declaring {
    pub(super) fn new(engine: Arc<dyn Transport>) -> Self {
        Self { engine, declared: Mutex::default() }
    }

    /// Declares again where this error says that something is missing.
    async fn mend(&self, error: &TransportError) {
        let TransportError::Missing(what) = error else { return };
        let declared = self.declared.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(topology) = declared else { return };
        tracing::warn!(what, "declared_again");
        if let Err(error) = self.engine.declare(&topology).await {
            tracing::warn!(error = %error, "not_declared_again");
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
        let published = self.engine.publish(to, events).await;
        let failed = published.iter().find_map(|result| match result {
            Err(PublishError::Unavailable(error)) => Some(error),
            _ => None,
        });
        if let Some(error) = failed {
            self.mend(error).await;
        }
        published
    }

    async fn receive(&self, queue: &str, receive: &Receive) -> Result<Vec<Delivery>, TransportError> {
        let received = self.engine.receive(queue, receive).await;
        if let Err(error) = &received {
            self.mend(error).await;
        }
        received
    }

    async fn settle(&self, queue: &str, settlements: &[Settlement]) -> Result<Vec<Settled>, TransportError> {
        self.engine.settle(queue, settlements).await
    }

    async fn ready(&self) -> Result<(), TransportError> {
        self.engine.ready().await
    }
}
