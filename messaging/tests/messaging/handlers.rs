//! Handlers for tests: one that does what a closure says, and what it saw.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use messaging::{Event, Failure, Handler};

type Does = Box<dyn Fn(Event) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync>;

/// Notes each event that comes, then does what it was told.
pub(crate) struct Told {
    pub(crate) seen: Mutex<Vec<Event>>,
    does: Does,
}

impl Told {
    pub(crate) fn new<F>(does: impl Fn(Event) -> F + Send + Sync + 'static) -> Arc<Self>
    where
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        Arc::new(Self { seen: Mutex::default(), does: Box::new(move |event| Box::pin(does(event))) })
    }

    pub(crate) fn seen(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    pub(crate) fn numbers(&self) -> Vec<u64> {
        self.seen.lock().unwrap().iter().map(crate::broker::number).collect()
    }
}

#[async_trait]
impl Handler for Told {
    async fn handle(&self, event: &Event) -> Result<(), Failure> {
        self.seen.lock().unwrap().push(event.clone());
        (self.does)(event.clone()).await
    }
}
