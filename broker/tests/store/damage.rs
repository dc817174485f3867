//! A stored message that is damaged, behind what has just expired.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use broker::{
    Broker,
    engine::{Engine, EngineSettings, by_hand, clock::Time},
    store::{
        folder::DataFolder,
        sqlite::{FileSystem, SqliteStore},
    },
};
use broker_core::{
    command::{Command, Destination, NewMessage, Publish, Receive, When},
    settings::{Ordering as Order, QueueSettingsPatch},
};
use futures_util::FutureExt as _;
use units::Timestamp;

use crate::running::{message, name, receive};

/// More than one tick lets expire.
const EXPIRING: u64 = 2500;

/// A clock that stands until it is told to go on.
pub(crate) struct Standing {
    began: Instant,
    /// In milliseconds.
    pub(crate) passed: AtomicU64,
}

impl Standing {
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), passed: AtomicU64::new(0) }
    }
}

impl Time for Standing {
    fn wall(&self) -> Timestamp {
        Timestamp::from_millis(1_000_000)
    }

    fn instant(&self) -> Instant {
        self.began + self.passed()
    }

    fn passed(&self) -> Duration {
        Duration::from_millis(self.passed.load(Ordering::SeqCst))
    }
}

pub(crate) fn done(broker: &Broker, engine: &mut Engine, command: Command) {
    let mut answer = Box::pin(broker.send(command));
    assert!((&mut answer).now_or_never().is_none());
    engine.step().unwrap();
    answer.now_or_never().unwrap().unwrap();
}

#[test]
fn an_auto_ack_takes_no_damaged_message_away_that_stands_behind_expired_ones() {
    let folder = tempfile::tempdir().unwrap();
    let time = Arc::new(Standing::new());
    let data = DataFolder::open(folder.path()).unwrap();
    let (store, _) = SqliteStore::open_by_hand(data, FileSystem::MACHINE).unwrap();
    let settings = EngineSettings { cached_bytes: 0, ..Default::default() };
    let (broker, mut engine) = by_hand(settings, Box::new(store), Arc::clone(&time) as _).unwrap();
    let settings = QueueSettingsPatch { ordering: Some(Order::Fifo), ..Default::default() };
    done(&broker, &mut engine, Command::PutQueue { name: name("q"), settings, only_create: false });
    let expires = Some(When::After(Duration::from_secs(1)));
    let expiring = (1..=EXPIRING).map(|number| NewMessage { expires, ..message(number) });
    let messages = expiring.chain([message(EXPIRING + 1)]).collect();
    let publish = Publish { destination: Destination::Queue(name("q")), messages, require_route: false };
    done(&broker, &mut engine, Command::Publish(publish));
    let damaged = rusqlite::Connection::open(folder.path().join("broker.sqlite")).unwrap().execute(
        "UPDATE messages SET record = '{}' WHERE sequence = (SELECT max(sequence) FROM messages)",
        (),
    );
    assert_eq!(damaged, Ok(1));

    time.passed.store(1000, Ordering::SeqCst);
    let all = Receive { auto_ack: true, ..receive("q", 10) };
    let mut answer = Box::pin(broker.receive(all, Duration::ZERO));
    assert!((&mut answer).now_or_never().is_none());
    engine.step().unwrap();
    assert!(answer.now_or_never().unwrap().unwrap().deliveries.is_empty());
    let queue = engine.look().0.queue(&name("q")).unwrap();
    assert_eq!((queue.gauges.dead, queue.counters.acked, queue.counters.expired), (1, 0, EXPIRING));
}
