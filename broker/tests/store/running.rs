//! A broker's engine on a temporary folder, and short ways to tell it things.

use std::{path::Path, sync::Arc, time::Duration};

use broker::{
    Broker, BrokerError, Handout,
    engine::{self, EngineSettings, EngineThread, fatal::AbortProcess},
    record::{Data, Event},
    store::{Store, folder::DataFolder, sqlite::SqliteStore},
};
use broker_core::{
    command::{Command, Destination, Nack, NackKind, NewMessage, Publish, Receive},
    filter::Attributes,
    identity::{Identity, Name, Receipt},
    reply::{Published, Reply, SettleStatus},
    settings::{BackoffPatch, QueueSettingsPatch},
    view::QueueView,
};
use bytes::Bytes;
use tokio::time::timeout;

/// Longer than anything here takes on a busy machine; reached only by a failure.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// An engine that runs.
pub(crate) struct Running {
    pub(crate) broker: Broker,
    pub(crate) thread: EngineThread,
}

impl Running {
    /// Starts one on a folder and waits until it takes work.
    pub(crate) async fn start(folder: &Path) -> Self {
        Self::start_with(folder, EngineSettings::default(), |store| Box::new(store)).await
    }

    /// The same with other settings, or another store around the real one.
    pub(crate) async fn start_with(
        folder: &Path,
        settings: EngineSettings,
        wrap: impl FnOnce(SqliteStore) -> Box<dyn Store> + Send + 'static,
    ) -> Self {
        let folder = DataFolder::open(folder).unwrap();
        let open = move || Ok(wrap(SqliteStore::open(folder)?));
        let (broker, thread) = engine::start(settings, open, AbortProcess).unwrap();
        broker.ready().await.unwrap();
        Self { broker, thread }
    }

    /// Stops it in good order.
    pub(crate) async fn stop(self) {
        self.thread.stop().await.unwrap();
    }

    /// Makes a queue whose failed deliveries are ready again at once.
    pub(crate) async fn queue(&self, queue: &str) {
        let backoff = BackoffPatch { initial: Some(Duration::ZERO), ..BackoffPatch::default() };
        self.queue_with(queue, QueueSettingsPatch { backoff, ..QueueSettingsPatch::default() }).await;
    }

    pub(crate) async fn queue_with(&self, queue: &str, settings: QueueSettingsPatch) {
        let command = Command::PutQueue { name: name(queue), settings, only_create: false };
        self.broker.send(command).await.unwrap();
    }

    pub(crate) async fn publish(&self, queue: &str, number: u64) -> Result<Published, BrokerError> {
        publish(self.broker.clone(), queue, vec![message(number)]).await.map(|published| published[0])
    }

    pub(crate) async fn receive(&self, queue: &str, max: usize) -> Handout {
        let mut handout = self.broker.receive(receive(queue, max), Duration::ZERO).await.unwrap();
        handout.guard.keep();
        handout
    }

    /// Receives one message, waiting for it as long as it takes; its number and receipt.
    pub(crate) async fn receive_one(&self, queue: &str) -> (u64, Receipt) {
        let handout = timeout(LONG, self.broker.receive(receive(queue, 1), LONG)).await.unwrap();
        let mut handout = handout.unwrap();
        handout.guard.keep();
        (numbers(&handout)[0], receipts(&handout)[0])
    }

    pub(crate) async fn ack(&self, queue: &str, receipt: Receipt) -> SettleStatus {
        self.settle(Command::Ack { queue: name(queue), receipts: vec![receipt] }).await
    }

    pub(crate) async fn nack(&self, queue: &str, receipt: Receipt, reason: &str) -> SettleStatus {
        let (queue, reason) = (name(queue), Some(Arc::from(reason)));
        let nack = Nack { queue, receipts: vec![receipt], delay: None, reason, kind: NackKind::Failed };
        self.settle(Command::Nack(nack)).await
    }

    async fn settle(&self, command: Command) -> SettleStatus {
        match self.broker.send(command).await.unwrap() {
            Reply::Settled(settled) => settled[0].status,
            other => panic!("{other:?}"),
        }
    }

    /// What a look at a queue shows.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        queue: &str,
        look: impl FnOnce(QueueView<'_>) -> T + Send + 'static,
    ) -> T {
        let queue = name(queue);
        self.broker.look(move |core, _| look(core.queue(&queue).unwrap())).await.unwrap()
    }
}

pub(crate) async fn publish(
    broker: Broker,
    queue: &str,
    messages: Vec<NewMessage>,
) -> Result<Vec<Published>, BrokerError> {
    let destination = Destination::Queue(name(queue));
    let command = Command::Publish(Publish { destination, messages, require_route: false });
    match broker.send(command).await? {
        Reply::Published(published) => Ok(published),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// Message number so and so. Its number is its id, and what its digests are made of.
pub(crate) fn message(number: u64) -> NewMessage {
    let record = record(number);
    NewMessage {
        identity: identity(number),
        deduplicate: true,
        fingerprint: number,
        key: None,
        size: u32::try_from(record.len()).unwrap(),
        available: None,
        expires: None,
        attributes: Attributes::new(),
        record,
    }
}

pub(crate) fn identity(number: u64) -> Identity {
    Identity { whole: u128::from(number), id: number }
}

pub(crate) fn record(number: u64) -> Bytes {
    record_of(number, "numbered")
}

/// The same of an event of that type.
pub(crate) fn record_of(number: u64, kind: &str) -> Bytes {
    let event = Event {
        id: &number.to_string(),
        source: "/tests",
        kind,
        subject: None,
        time: None,
        content_type: None,
        schema: None,
        extensions: &[],
        data: Data::None,
    };
    event.encode()
}

pub(crate) fn receive(queue: &str, max: usize) -> Receive {
    Receive {
        queue: name(queue),
        max,
        lease: None,
        max_bytes: 16 << 20,
        bytes_beside: 0,
        auto_ack: false,
        consumer: None,
        receive_id: None,
    }
}

/// The numbers of the messages of a handout, read from their records.
pub(crate) fn numbers(handout: &Handout) -> Vec<u64> {
    let number = |record: &Bytes| {
        let attributes = broker::record::Listed::read(record).unwrap();
        attributes.id.parse().unwrap()
    };
    handout.deliveries.iter().map(|delivery| number(&delivery.record)).collect()
}

pub(crate) fn receipts(handout: &Handout) -> Vec<Receipt> {
    handout.deliveries.iter().map(|delivery| delivery.delivered.receipt.unwrap()).collect()
}
