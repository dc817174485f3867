//! The real store with faults: commits that fail or wait, as the test says.

use std::sync::{
    Arc, Mutex,
    mpsc::{Receiver, Sender, channel},
};

use broker::store::{Found, Group, Reader, Store, StoreError, sqlite::SqliteStore};
use broker_core::{
    change::HighWater,
    identity::{QueueId, Sequence},
    restore::Restore,
};
use units::Timestamp;

/// What the next commits meet.
#[derive(Default)]
pub(crate) struct Faults {
    next: Mutex<Vec<Fault>>,
    free_space: Mutex<Option<u64>>,
}

pub(crate) enum Fault {
    /// The disk is full.
    Full,
    /// The sync fails.
    Broken,
    /// It tells that it begins, and waits to be told to go on.
    Held { begins: Sender<()>, go_on: Receiver<()> },
}

/// Both ends of a commit that is held.
pub(crate) struct Hold {
    pub(crate) begins: Receiver<()>,
    pub(crate) go_on: Sender<()>,
}

impl Faults {
    /// The fault after those that were named before.
    pub(crate) fn push(&self, fault: Fault) {
        self.next.lock().unwrap().insert(0, fault);
    }

    /// How many were not met yet.
    pub(crate) fn left(&self) -> usize {
        self.next.lock().unwrap().len()
    }

    /// No fault comes any more.
    pub(crate) fn forget(&self) {
        self.next.lock().unwrap().clear();
    }

    /// Holds a commit.
    pub(crate) fn hold(&self) -> Hold {
        let ((began, begins), (go_on, told)) = (channel(), channel());
        self.push(Fault::Held { begins: began, go_on: told });
        Hold { begins, go_on }
    }

    pub(crate) fn set_free_space(&self, bytes: u64) {
        *self.free_space.lock().unwrap() = Some(bytes);
    }

    fn meet(&self) -> Result<(), StoreError> {
        let fault = self.next.lock().unwrap().pop();
        match fault {
            None => Ok(()),
            Some(Fault::Full) => Err(StoreError::Full),
            Some(Fault::Broken) => Err(StoreError::Failed("the sync failed".to_owned())),
            Some(Fault::Held { begins, go_on }) => {
                let _ = begins.send(());
                let _ = go_on.recv();
                Ok(())
            }
        }
    }
}

/// The real store behind them.
pub(crate) struct Faulty {
    pub(crate) store: SqliteStore,
    pub(crate) faults: Arc<Faults>,
}

impl Store for Faulty {
    fn last(&mut self) -> Result<Option<(HighWater, Timestamp)>, StoreError> {
        self.store.last()
    }

    fn last_audit(&mut self) -> Result<u64, StoreError> {
        self.store.last_audit()
    }

    fn load(&mut self, into: &mut Restore) -> Result<(), StoreError> {
        self.store.load(into)
    }

    fn commit(&mut self, group: &Group<'_>) -> Result<(), StoreError> {
        self.faults.meet()?;
        self.store.commit(group)
    }

    fn record(&mut self, sequence: Sequence) -> Result<Option<Found>, StoreError> {
        self.store.record(sequence)
    }

    fn last_reason(&mut self, queue: QueueId, sequence: Sequence) -> Result<Option<Arc<str>>, StoreError> {
        self.store.last_reason(queue, sequence)
    }

    fn free_space(&mut self) -> Result<u64, StoreError> {
        let told = *self.faults.free_space.lock().unwrap();
        told.map_or_else(|| self.store.free_space(), Ok)
    }

    fn reader(&self) -> Arc<dyn Reader> {
        self.store.reader()
    }

    fn close(self: Box<Self>) -> Result<(), StoreError> {
        Box::new(self.store).close()
    }
}
