//! Asking for the figures of `/metrics`: the engine's thread copies numbers, a page of queues or topics a
//! look, and the text is written where that is in nobody's way.

use tokio::task::spawn_blocking;

use super::Broker;
use crate::{
    engine::metrics::{figures::Named, text},
    error::BrokerError,
};

/// How many queues, or topics and subscriptions together, one look copies: below a millisecond's work. The
/// subscriptions of one topic are copied together, however many they are.
const AT_ONCE: usize = 1000;

impl Broker {
    /// Gauges, counters and histograms of queues, topics and the engine, in Prometheus' text format. Each
    /// queue's figures are of one moment.
    ///
    /// # Errors
    /// [`BrokerError::Busy`] or [`BrokerError::Stopped`].
    pub async fn metrics(&self) -> Result<String, BrokerError> {
        let engine = self.view(|view| view.metrics.figures(view.parked, view.room)).await?;
        let (queues, topics) = (self.all().await?, self.all().await?);
        let written = spawn_blocking(move || text::write(&engine, &queues, &topics)).await;
        // The text is not written only where the process's runtime ends.
        written.map_err(|_| BrokerError::Stopped)
    }

    async fn all<T: Named>(&self) -> Result<Vec<T>, BrokerError> {
        let mut all: Vec<T> = Vec::new();
        loop {
            let after = all.last().map(|last| last.name().clone());
            let page = self.look(move |core, now| T::page(core, now, after.as_ref(), AT_ONCE)).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }
}
