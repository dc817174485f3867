//! Very many messages that expire together, with somebody who waits for what stands behind them: it is cleared
//! away group by group.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use broker::{
    Broker, BrokerError, Handout,
    engine::{Engine, EngineSettings, by_hand},
    store::{
        folder::DataFolder,
        sqlite::{FileSystem, SqliteStore},
    },
};
use broker_core::{
    command::{Command, Destination, NewMessage, Publish, When},
    settings::QueueSettingsPatch,
};
use futures_util::FutureExt as _;

use crate::{
    damage::{Standing, done},
    running::{LONG, Running, message, name, numbers, publish, receive},
};

const EXPIRING: u64 = 5000;
/// What time lets expire in one group, and what receives do.
const MOST: u64 = 2000 + 1000;

fn expiring(after: Duration) -> Vec<NewMessage> {
    let expires = Some(When::After(after));
    let expiring = (1..=EXPIRING).map(|number| NewMessage { expires, ..message(number) });
    expiring.chain([message(EXPIRING + 1)]).collect()
}

/// A broker in whose queue `q` very much expired just now; nothing of it is cleared away yet.
fn expired(folder: &std::path::Path) -> (Broker, Engine) {
    let time = Arc::new(Standing::new());
    let data = DataFolder::open(folder).unwrap();
    let (store, _) = SqliteStore::open_by_hand(data, FileSystem::MACHINE).unwrap();
    let settings = EngineSettings::default();
    let (broker, mut engine) = by_hand(settings, Box::new(store), Arc::clone(&time) as _).unwrap();
    let settings = QueueSettingsPatch::default();
    done(&broker, &mut engine, Command::PutQueue { name: name("q"), settings, only_create: false });
    let (destination, messages) = (Destination::Queue(name("q")), expiring(Duration::from_secs(1)));
    done(&broker, &mut engine, Command::Publish(Publish { destination, messages, require_route: false }));
    time.passed.store(1000, Ordering::SeqCst);
    (broker, engine)
}

type Asked = Pin<Box<dyn Future<Output = Result<Handout, BrokerError>>>>;

/// A receive of one message that stands in line.
fn ask(broker: &Broker, wait: Duration) -> Asked {
    let broker = broker.clone();
    let mut asked: Asked = Box::pin(async move { broker.receive(receive("q", 1), wait).await });
    assert!((&mut asked).now_or_never().is_none());
    asked
}

fn cleared(engine: &Engine) -> u64 {
    engine.look().0.queue(&name("q")).unwrap().counters.expired
}

/// Takes steps until it is answered, each of which clears no more than one may.
fn answered(engine: &mut Engine, mut asked: Asked) -> Vec<u64> {
    for _ in 0..EXPIRING {
        let before = cleared(engine);
        engine.step().unwrap();
        assert!(cleared(engine) - before <= MOST, "{} in one group", cleared(engine) - before);
        if let Some(handout) = (&mut asked).now_or_never() {
            return numbers(&handout.unwrap());
        }
    }
    panic!("never answered");
}

#[test]
fn a_receive_that_waits_gets_what_stands_behind_very_much_that_expired_after_a_few_groups() {
    let folder = tempfile::tempdir().unwrap();
    let (broker, mut engine) = expired(folder.path());
    let asked = ask(&broker, LONG);
    assert_eq!(answered(&mut engine, asked), [EXPIRING + 1]);
}

#[test]
fn a_receive_that_does_not_wait_gets_what_stands_behind_very_much_that_expired_too() {
    let folder = tempfile::tempdir().unwrap();
    let (broker, mut engine) = expired(folder.path());
    let asked = ask(&broker, Duration::ZERO);
    assert_eq!(answered(&mut engine, asked), [EXPIRING + 1]);
}

#[test]
fn many_receives_of_one_group_clear_no_more_together_than_one_does() {
    let folder = tempfile::tempdir().unwrap();
    let (broker, mut engine) = expired(folder.path());
    let others: Vec<_> = (0..10).map(|_| ask(&broker, Duration::ZERO)).collect();
    let asked = ask(&broker, LONG);
    engine.step().unwrap();
    assert_eq!(cleared(&engine), MOST);
    engine.step().unwrap();
    assert_eq!(numbers(&asked.now_or_never().unwrap().unwrap()), [EXPIRING + 1], "it waited");
    let nothing = |other: Asked| other.now_or_never().unwrap().unwrap().deliveries.is_empty();
    assert!(others.into_iter().all(nothing));
}

#[tokio::test]
async fn an_engine_goes_on_by_itself_until_all_that_expired_is_cleared_away() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    running.queue("q").await;
    publish(running.broker.clone(), "q", expiring(Duration::from_millis(1))).await.unwrap();
    let began = Instant::now();
    assert_eq!(running.receive_one("q").await.0, EXPIRING + 1);
    assert!(began.elapsed() < LONG / 2, "it waited for something else");
    running.stop().await;
}
