//! The real store with faults: commits that fail, and commits and reads beside them that wait, as the test
//! says.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
};

use broker::{
    engine::EngineSettings,
    store::{Found, Group, Reader, Store, StoreError, sqlite::SqliteStore},
};
use broker_core::{
    change::{AuditRecord, FailureRecord, HighWater},
    identity::{QueueId, Sequence},
    restore::Restore,
};
use tokio::task::spawn_blocking;
use units::Timestamp;

use crate::running::{LONG, Running};

/// What the next commits meet.
#[derive(Default)]
pub(crate) struct Faults {
    next: Mutex<Vec<Fault>>,
    free_space: Mutex<Option<u64>>,
    quota: Mutex<Option<Quota>>,
    /// Reads beside the engine's thread wait here, the next one first.
    reads: Mutex<Vec<Fault>>,
    /// How many records the engine's own thread has read.
    own_reads: AtomicUsize,
    /// How many times records were read beside it.
    reads_beside: AtomicUsize,
}

/// A disk of so many bytes, on which is nothing but a data folder.
struct Quota {
    folder: PathBuf,
    bytes: u64,
}

impl Quota {
    fn free(&self) -> u64 {
        let files = std::fs::read_dir(&self.folder).unwrap();
        let taken: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
        self.bytes.saturating_sub(taken)
    }
}

pub(crate) enum Fault {
    /// The disk is full.
    Full,
    /// The sync fails.
    Broken,
    /// It tells that it begins, and waits to be told to go on.
    Held { begins: Sender<()>, go_on: Receiver<()> },
}

/// Both ends of a commit or read that is held.
pub(crate) struct Hold {
    pub(crate) begins: Receiver<()>,
    pub(crate) go_on: Sender<()>,
}

impl Hold {
    /// Waits until it begins; what lets it go on.
    pub(crate) async fn begun(self) -> Sender<()> {
        let Self { begins, go_on } = self;
        let begun = move || begins.recv_timeout(LONG).expect("it begins");
        spawn_blocking(begun).await.unwrap();
        go_on
    }
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

    /// Holds a read beside the engine's thread.
    pub(crate) fn hold_read(&self) -> Hold {
        let ((began, begins), (go_on, told)) = (channel(), channel());
        self.reads.lock().unwrap().insert(0, Fault::Held { begins: began, go_on: told });
        Hold { begins, go_on }
    }

    /// How many records the engine's own thread has read from the store.
    pub(crate) fn own_reads(&self) -> usize {
        self.own_reads.load(Ordering::SeqCst)
    }

    /// How many times records were read beside the engine's thread.
    pub(crate) fn reads_beside(&self) -> usize {
        self.reads_beside.load(Ordering::SeqCst)
    }

    pub(crate) fn set_free_space(&self, bytes: u64) {
        *self.free_space.lock().unwrap() = Some(bytes);
    }

    /// The data folder is on a disk of so many bytes.
    pub(crate) fn set_quota(&self, folder: &Path, bytes: u64) {
        *self.quota.lock().unwrap() = Some(Quota { folder: folder.to_owned(), bytes });
    }

    fn meet(next: &Mutex<Vec<Fault>>) -> Result<(), StoreError> {
        let fault = next.lock().unwrap().pop();
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

/// An engine that runs on a store with faults.
pub(crate) async fn start_faulty(folder: &Path, settings: EngineSettings) -> (Running, Arc<Faults>) {
    let faults = Arc::new(Faults::default());
    let shared = Arc::clone(&faults);
    let wrap = move |store| Box::new(Faulty { store, faults: shared }) as _;
    (Running::start_with(folder, settings, wrap).await, faults)
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
        Faults::meet(&self.faults.next)?;
        self.store.commit(group)
    }

    fn record(&mut self, sequence: Sequence) -> Result<Option<Found>, StoreError> {
        self.faults.own_reads.fetch_add(1, Ordering::SeqCst);
        self.store.record(sequence)
    }

    fn last_reason(&mut self, queue: QueueId, sequence: Sequence) -> Result<Option<Arc<str>>, StoreError> {
        self.store.last_reason(queue, sequence)
    }

    fn free_space(&mut self) -> Result<u64, StoreError> {
        if let Some(quota) = &*self.faults.quota.lock().unwrap() {
            return self.store.room_beside(quota.free());
        }
        let told = *self.faults.free_space.lock().unwrap();
        told.map_or_else(|| self.store.free_space(), Ok)
    }

    fn give_back(&mut self) -> Result<(), StoreError> {
        self.store.give_back()
    }

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(FaultyReader { reader: self.store.reader(), faults: Arc::clone(&self.faults) })
    }

    fn close(self: Box<Self>) -> Result<(), StoreError> {
        Box::new(self.store).close()
    }
}

/// The real store's reader behind them.
struct FaultyReader {
    reader: Arc<dyn Reader>,
    faults: Arc<Faults>,
}

impl Reader for FaultyReader {
    fn records(&self, sequences: &[Sequence]) -> Result<Vec<Option<Found>>, StoreError> {
        Faults::meet(&self.faults.reads)?;
        self.faults.reads_beside.fetch_add(1, Ordering::SeqCst);
        self.reader.records(sequences)
    }

    fn failures(&self, queue: QueueId, sequence: Sequence) -> Result<Vec<FailureRecord>, StoreError> {
        self.reader.failures(queue, sequence)
    }

    fn last_failures(
        &self,
        queue: QueueId,
        sequences: &[Sequence],
    ) -> Result<Vec<Option<FailureRecord>>, StoreError> {
        self.reader.last_failures(queue, sequences)
    }

    fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditRecord>, StoreError> {
        self.reader.audit(before, limit)
    }
}
