//! Reads of stored data beside the engine's thread, a few at a time.

use std::sync::{Arc, OnceLock};

use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::{
    error::BrokerError,
    store::{Reader, StoreError},
};

/// How many reads run at once; each holds a connection of its own.
const AT_ONCE: usize = 4;

/// The way to the store's readers. It is made before the store is open.
pub(crate) struct Readers {
    reader: OnceLock<Arc<dyn Reader>>,
    permits: Semaphore,
}

impl Readers {
    pub(crate) fn new() -> Self {
        Self { reader: OnceLock::new(), permits: Semaphore::new(AT_ONCE) }
    }

    /// Hands in the reader of the store that was opened; the first one counts.
    pub(crate) fn open(&self, reader: Arc<dyn Reader>) {
        let _ = self.reader.set(reader);
    }

    /// Runs a read where blocking does no harm.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, BrokerError> {
        let reader = Arc::clone(self.reader.get().ok_or(BrokerError::Stopped)?);
        let _permit = self.permits.acquire().await.map_err(|_| BrokerError::Stopped)?;
        let done = spawn_blocking(move || read(&*reader)).await;
        let unreadable = |error: &dyn std::fmt::Display| BrokerError::Unreadable(error.to_string());
        done.map_err(|panic| unreadable(&panic))?.map_err(|error| unreadable(&error))
    }
}
