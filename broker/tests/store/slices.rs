//! Work on very many messages goes in slices, and what was done of it shows whatever ends it.

use std::sync::{Arc, mpsc::Sender};

use broker::{
    Broker, BrokerError,
    engine::{self, EngineSettings, fatal::Fatal, note::Note},
    store::{StoreError, folder::DataFolder, sqlite::SqliteStore},
};
use broker_core::{
    change::AuditRecord,
    command::{Command, Nack, NackKind},
    identity::{Receipt, Sequence},
    reply::{Redriven, Reply},
};
use futures_util::FutureExt as _;
use tokio::{task::spawn_blocking, time::timeout};

use crate::{
    faults::{Fault, Faults, Faulty, Hold},
    running::{LONG, Running, message, name, publish, receipts},
};

/// Three slices' worth, the last one not full.
const MANY: u64 = 2500;
/// How many messages a slice is of.
const SLICE: u64 = 1000;

/// A broker whose queue `jobs` has many messages, and `other` none.
async fn with_many(folder: &std::path::Path) -> (Running, Arc<Faults>) {
    let faults = Arc::new(Faults::default());
    let shared = Arc::clone(&faults);
    let wrap = move |store| Box::new(Faulty { store, faults: shared }) as _;
    let running = Running::start_with(folder, EngineSettings::default(), wrap).await;
    running.queue("jobs").await;
    running.queue("other").await;
    publish(running.broker.clone(), "jobs", (1..=MANY).map(message).collect()).await.unwrap();
    (running, faults)
}

/// Makes dead letters of all that is ready; their numbers.
async fn kill_all(running: &Running, queue: &str) -> Vec<Sequence> {
    let mut killed = Vec::new();
    loop {
        let handout = running.receive(queue, 1000).await;
        if handout.deliveries.is_empty() {
            return killed;
        }
        let receipts = receipts(&handout);
        killed.extend(receipts.iter().map(|receipt| receipt.sequence));
        kill(&running.broker, queue, receipts).await;
    }
}

async fn kill(broker: &Broker, queue: &str, receipts: Vec<Receipt>) {
    let queue = name(queue);
    let nack = Nack { queue, receipts, delay: None, reason: None, kind: NackKind::DeadLetter };
    assert!(matches!(broker.send(Command::Nack(nack)).await, Ok(Reply::Settled(_))));
}

fn note(action: &'static str) -> Note {
    Note::new("somebody", action).queue(&name("jobs"))
}

async fn purge(broker: Broker) -> Result<u64, BrokerError> {
    broker.purge(name("jobs"), &note("purge")).await
}

async fn redrive(broker: &Broker, which: &[Sequence], limit: Option<u64>) -> Redriven {
    broker.redrive(&name("jobs"), which, None, limit, &note("redrive")).await.unwrap()
}

/// What the audit trail has, newest first: actions and counts.
async fn audited(broker: &Broker) -> Vec<(Arc<str>, u64)> {
    let records = broker.audit(None, 100).await.unwrap();
    records.into_iter().map(|AuditRecord { action, count, .. }| (action, count)).collect()
}

/// How many are ready in `jobs`.
async fn ready(running: &Running) -> u64 {
    running.look("jobs", |queue| queue.gauges.ready).await
}

/// Waits until a commit is held; what lets it go on.
async fn begun(hold: Hold) -> Sender<()> {
    let Hold { begins, go_on } = hold;
    spawn_blocking(move || begins.recv().unwrap()).await.unwrap();
    go_on
}

#[tokio::test]
async fn many_are_purged_in_slices_and_the_trail_has_one_item_of_them_all() {
    let folder = tempfile::tempdir().unwrap();
    let (running, _) = with_many(folder.path()).await;
    assert_eq!(purge(running.broker.clone()).await, Ok(MANY));
    assert_eq!(purge(running.broker.clone()).await, Ok(0));
    running.publish("jobs", MANY + 1).await.unwrap();
    assert_eq!(purge(running.broker.clone()).await, Ok(1));
    assert_eq!(audited(&running.broker).await, [("purge".into(), 1), ("purge".into(), MANY)]);
    running.stop().await;
}

#[tokio::test]
async fn others_are_answered_between_two_slices_of_a_purge() {
    let folder = tempfile::tempdir().unwrap();
    let (running, faults) = with_many(folder.path()).await;
    let (first, second, third) = (faults.hold(), faults.hold(), faults.hold());
    let mut purging = tokio::spawn(purge(running.broker.clone()));
    let go_on = begun(first).await;
    let mut published = Box::pin(publish(running.broker.clone(), "other", vec![message(1)]));
    assert!((&mut published).now_or_never().is_none());
    go_on.send(()).unwrap();
    begun(second).await.send(()).unwrap();
    let go_on = begun(third).await;
    timeout(LONG, published).await.unwrap().unwrap();
    assert!((&mut purging).now_or_never().is_none(), "the purge is not over");
    go_on.send(()).unwrap();
    assert_eq!(purging.await.unwrap(), Ok(MANY));
    running.stop().await;
}

#[tokio::test]
async fn what_is_published_while_a_purge_goes_on_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (running, faults) = with_many(folder.path()).await;
    let first = faults.hold();
    let purging = tokio::spawn(purge(running.broker.clone()));
    let go_on = begun(first).await;
    let published = publish(running.broker.clone(), "jobs", vec![message(MANY + 1)]);
    let (published, ()) = tokio::join!(published, async { go_on.send(()).unwrap() });
    published.unwrap();
    assert_eq!((purging.await.unwrap(), ready(&running).await), (Ok(MANY), 1));
    running.stop().await;
}

#[tokio::test]
async fn many_are_redriven_in_their_order_and_discarded_with_one_item_each_in_the_trail() {
    let folder = tempfile::tempdir().unwrap();
    let (running, _) = with_many(folder.path()).await;
    let dead = kill_all(&running, "jobs").await;
    let redriven = redrive(&running.broker, &dead, Some(SLICE + 7)).await;
    assert_eq!(redriven.sequences, dead[..1007]);
    let rest = redrive(&running.broker, &dead, None).await;
    assert_eq!(rest.sequences, dead[1007..]);
    let dead = kill_all(&running, "jobs").await;
    let discarded = running.broker.discard(&name("jobs"), &dead, &note("discard")).await;
    assert_eq!(discarded, Ok(MANY));
    let counts =
        [("discard".into(), MANY), ("redrive".into(), MANY - SLICE - 7), ("redrive".into(), SLICE + 7)];
    assert_eq!(audited(&running.broker).await, counts);
    running.stop().await;
}

#[tokio::test]
async fn all_that_are_dead_are_discarded_in_slices_but_none_that_dies_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let (running, faults) = with_many(folder.path()).await;
    kill_all(&running, "jobs").await;
    running.publish("jobs", MANY + 1).await.unwrap();
    let first = faults.hold();
    let broker = running.broker.clone();
    let discarding = tokio::spawn(async move { broker.discard_all(name("jobs"), &note("discard")).await });
    let go_on = begun(first).await;
    let (killed, ()) = tokio::join!(kill_all(&running, "jobs"), async { go_on.send(()).unwrap() });
    assert_eq!((discarding.await.unwrap(), killed.len()), (Ok(MANY), 1));
    assert_eq!(running.look("jobs", |queue| queue.gauges.dead).await, 1);
    assert_eq!(running.broker.discard_all(name("jobs"), &note("discard")).await, Ok(1));
    assert_eq!(running.broker.discard_all(name("jobs"), &note("discard")).await, Ok(0));
    assert_eq!(audited(&running.broker).await, [("discard".into(), 1), ("discard".into(), MANY)]);
    running.stop().await;
}

#[tokio::test]
async fn one_that_dies_again_while_a_redrive_goes_on_is_not_redriven_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (running, faults) = with_many(folder.path()).await;
    let dead = kill_all(&running, "jobs").await;
    let (first, second) = (faults.hold(), faults.hold());
    first.go_on.send(()).unwrap();
    let broker = running.broker.clone();
    let redriving = tokio::spawn(async move { redrive(&broker, &dead, None).await });
    let go_on = begun(second).await;
    let killing = async {
        let handout = running.receive("jobs", 1000).await;
        kill(&running.broker, "jobs", receipts(&handout)).await;
        handout.deliveries.len() as u64
    };
    let (killed, ()) = tokio::join!(killing, async { go_on.send(()).unwrap() });
    assert_eq!(redriving.await.unwrap().sequences.len() as u64, MANY);
    let counters = running.look("jobs", |queue| (queue.counters.redriven_in, queue.gauges.dead)).await;
    assert_eq!(counters, (MANY, killed));
    assert!(killed > 0);
    running.stop().await;
}

#[tokio::test]
async fn whoever_goes_away_in_the_middle_leaves_what_was_done_and_the_trail_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (running, faults) = with_many(folder.path()).await;
    let first = faults.hold();
    let purging = tokio::spawn(purge(running.broker.clone()));
    let go_on = begun(first).await;
    purging.abort();
    assert!(purging.await.unwrap_err().is_cancelled());
    go_on.send(()).unwrap();
    assert_eq!(ready(&running).await, MANY - SLICE);
    assert_eq!(audited(&running.broker).await, [("purge".into(), SLICE)]);
    running.stop().await;
}

#[tokio::test]
async fn a_disk_that_is_full_in_the_middle_ends_it_and_the_trail_says_how_much_was_done() {
    let folder = tempfile::tempdir().unwrap();
    let (running, faults) = with_many(folder.path()).await;
    let first = faults.hold();
    faults.push(Fault::Full);
    faults.push(Fault::Full);
    first.go_on.send(()).unwrap();
    assert_eq!(purge(running.broker.clone()).await, Err(BrokerError::StorageFull));
    assert_eq!(ready(&running).await, MANY - SLICE);
    assert_eq!(audited(&running.broker).await, [("purge".into(), SLICE)]);
    running.stop().await;
}

/// Lets the engine end where the program would.
struct Ignored;

impl Fatal for Ignored {
    fn fatal(&self, _: &StoreError) {}
}

#[tokio::test]
async fn a_broker_that_dies_in_the_middle_has_in_the_trail_what_was_done() {
    let folder = tempfile::tempdir().unwrap();
    let (running, _) = with_many(folder.path()).await;
    running.stop().await;
    let faults = Arc::new(Faults::default());
    let shared = Arc::clone(&faults);
    let data = DataFolder::open(folder.path()).unwrap();
    let open = move || Ok(Box::new(Faulty { store: SqliteStore::open(data)?, faults: shared }) as _);
    let (broker, thread) = engine::start(EngineSettings::default(), open, Ignored).unwrap();
    broker.ready().await.unwrap();
    let first = faults.hold();
    faults.push(Fault::Broken);
    first.go_on.send(()).unwrap();
    assert_eq!(purge(broker).await, Err(BrokerError::Stopped));
    assert!(thread.stopped().await.is_err());
    let running = Running::start(folder.path()).await;
    assert_eq!(ready(&running).await, MANY - SLICE);
    assert_eq!(purge(running.broker.clone()).await, Ok(MANY - SLICE));
    let counts = [("purge".into(), MANY - SLICE), ("purge".into(), SLICE)];
    assert_eq!(audited(&running.broker).await, counts);
    running.stop().await;
}

#[tokio::test]
async fn many_are_redriven_in_publish_order_whichever_died_first() {
    let folder = tempfile::tempdir().unwrap();
    let (running, faults) = with_many(folder.path()).await;
    let mut slices = Vec::new();
    for _ in 0..3 {
        slices.push(receipts(&running.receive("jobs", 1000).await));
    }
    let mut died = Vec::new();
    for slice in slices.into_iter().rev() {
        died.extend(slice.iter().map(|receipt| receipt.sequence));
        kill(&running.broker, "jobs", slice).await;
    }
    let (first, second) = (faults.hold(), faults.hold());
    let broker = running.broker.clone();
    let redriving = tokio::spawn(async move { redrive(&broker, &died, None).await });
    begun(first).await.send(()).unwrap();
    let go_on = begun(second).await;
    let mut receiving = Box::pin(running.receive("jobs", 1));
    assert!((&mut receiving).now_or_never().is_none(), "it waits behind the slice under way");
    go_on.send(()).unwrap();
    assert_eq!(receipts(&receiving.await)[0].sequence, Sequence(1));
    assert_eq!(redriving.await.unwrap().sequences.len() as u64, MANY);
    running.stop().await;
}
