//! The relay: every event arrives, in order per key, whatever dies or is away.

use std::{collections::HashMap, sync::Arc, time::Duration};

use messaging::{
    Database, Event, Outbox, Relay, Transport, topology,
    transport::{Mode, Receive, TransportError},
};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    broker::{Broker, event, eventually, number, orders_to_work},
    database,
    faults::{Fault, Faulty, unreachable},
    outbox::say,
};

struct Relaying {
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Relaying {
    fn start(outbox: &Outbox, transport: Arc<dyn Transport>) -> Self {
        let shutdown = CancellationToken::new();
        let relay = Relay::new(outbox.clone(), transport);
        Self { task: tokio::spawn(relay.run(shutdown.clone())), shutdown }
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap();
    }

    /// As a kill does: nothing is finished, nothing is given back.
    async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

async fn service(broker: &Broker) -> (TempDir, Database, Outbox) {
    broker.transport().declare(&orders_to_work()).await.unwrap();
    let folder = TempDir::new().unwrap();
    let database = database::open(&folder).await;
    let outbox = Outbox::new(database.clone());
    (folder, database, outbox)
}

/// All that arrived, in the order in which it did.
async fn arrived(broker: &Broker) -> Vec<Event> {
    let receive =
        Receive { max: 1000, wait: Duration::ZERO, consumer: "test".to_owned(), mode: Mode::AtMostOnce };
    let mut all = Vec::new();
    loop {
        let some = broker.transport().receive("work", &receive).await.unwrap();
        if some.is_empty() {
            return all;
        }
        all.extend(some.into_iter().map(|delivery| delivery.event.unwrap()));
    }
}

fn by_key(events: &[Event]) -> HashMap<String, Vec<u64>> {
    let mut keys: HashMap<String, Vec<u64>> = HashMap::new();
    for event in events {
        keys.entry(event.partition_key().unwrap().to_owned()).or_default().push(number(event));
    }
    keys
}

async fn drained(outbox: &Outbox) {
    eventually("the outbox is drained", || async {
        (outbox.status().await.unwrap().depth == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_was_said_arrives_once_in_order_per_key_and_in_the_bytes_that_were_stored() {
    let broker = Broker::start().await;
    let (_folder, database, outbox) = service(&broker).await;
    let mut said = Vec::new();
    for n in 0..30 {
        let event = event(&format!("key-{}", n % 3), n);
        say(&database, &event).await;
        said.push(event);
    }
    let relaying = Relaying::start(&outbox, broker.transport());
    drained(&outbox).await;
    relaying.stop().await;
    let arrived = arrived(&broker).await;
    for (key, numbers) in by_key(&arrived) {
        let first: u64 = key.strip_prefix("key-").unwrap().parse().unwrap();
        assert_eq!(numbers, (first..30).step_by(3).collect::<Vec<_>>());
    }
    assert_eq!(arrived.len(), 30);
    assert!(
        said.iter().all(|event| arrived
            .iter()
            .any(|other| other.id() == event.id() && other.data() == event.data()))
    );
}

#[tokio::test]
async fn a_notify_wakes_the_relay_and_a_poll_is_behind_it() {
    let broker = Broker::start().await;
    let (_folder, database, outbox) = service(&broker).await;
    let relaying = Relaying::start(&outbox, broker.transport());
    say(&database, &event("a", 1)).await;
    outbox.notify();
    broker.wait_count("work", "published", 1).await;
    say(&database, &event("a", 2)).await;
    broker.wait_count("work", "published", 2).await;
    relaying.stop().await;
}

#[tokio::test]
async fn killed_between_publish_and_mark_it_publishes_again_and_the_broker_knows_it() {
    let broker = Broker::start().await;
    let (_folder, database, outbox) = service(&broker).await;
    for n in 0..10 {
        say(&database, &event(&format!("k{n}"), n)).await;
    }
    let dying = Faulty::new(broker.transport());
    dying.fail_publish([Fault::NeverAnswers]);
    let killed = Relaying::start(&outbox, dying);
    broker.wait_count("work", "published", 10).await;
    killed.kill().await;
    assert_eq!(outbox.status().await.unwrap().depth, 10);
    let relaying = Relaying::start(&outbox, broker.transport());
    drained(&outbox).await;
    relaying.stop().await;
    assert_eq!(broker.count("work", "published").await, 10);
    assert_eq!(arrived(&broker).await.len(), 10);
}

#[tokio::test]
async fn killed_between_claim_and_publish_another_takes_over_when_the_claim_runs_out() {
    let broker = Broker::start().await;
    let (_folder, database, outbox) = service(&broker).await;
    for n in 0..3 {
        say(&database, &event("k", n)).await;
    }
    let dead = Faulty::new(broker.transport());
    let killed = Relaying::start(&outbox, Arc::clone(&dead) as Arc<dyn Transport>);
    dead.fail_publish([Fault::NeverAnswers]);
    eventually("it publishes", || async { (!dead.published.lock().unwrap().is_empty()).then_some(()) }).await;
    killed.kill().await;
    let relaying = Relaying::start(&outbox, broker.transport());
    drained(&outbox).await;
    relaying.stop().await;
    assert_eq!(by_key(&arrived(&broker).await)["k"], [0, 1, 2]);
}

#[tokio::test]
async fn two_relays_share_the_work_and_keep_order_per_key() {
    let broker = Broker::start().await;
    let (folder, database, outbox) = service(&broker).await;
    let other = Outbox::new(database::open(&folder).await);
    let first = Relaying::start(&outbox, broker.transport());
    let second = Relaying::start(&other, broker.transport());
    for n in 0..200 {
        say(&database, &event(&format!("key-{}", n % 7), n)).await;
        if n % 2 == 0 { outbox.notify() } else { other.notify() }
    }
    drained(&outbox).await;
    first.stop().await;
    second.stop().await;
    let arrived = arrived(&broker).await;
    assert_eq!(arrived.len(), 200);
    for numbers in by_key(&arrived).into_values() {
        assert!(numbers.is_sorted(), "{numbers:?}");
    }
}

#[tokio::test]
async fn an_outage_pauses_it_and_costs_nothing() {
    let broker = Broker::start().await;
    let (_folder, database, outbox) = service(&broker).await;
    let away = Faulty::new(broker.transport());
    away.fail_publish([
        Fault::NotSent(unreachable()),
        Fault::NotSent(TransportError::Denied("401".to_owned())),
        Fault::NotSent(TransportError::Missing("404".to_owned())),
        Fault::NotSent(TransportError::Throttled { detail: "429".to_owned(), retry_after: None }),
        Fault::AnswerLost,
    ]);
    say(&database, &event("a", 1)).await;
    say(&database, &event("a", 2)).await;
    let relaying = Relaying::start(&outbox, away);
    drained(&outbox).await;
    relaying.stop().await;
    assert!(outbox.status().await.unwrap().set_aside.is_empty());
    assert_eq!(by_key(&arrived(&broker).await)["a"], [1, 2]);
}

#[tokio::test]
async fn while_the_broker_is_down_it_says_so_and_goes_on_when_it_is_back() {
    let mut broker = Broker::start().await;
    let (_folder, database, outbox) = service(&broker).await;
    broker.stop();
    let shutdown = CancellationToken::new();
    let relay = Relay::new(outbox.clone(), broker.transport());
    let mut status = relay.status();
    let task = tokio::spawn(relay.run(shutdown.clone()));
    say(&database, &event("a", 1)).await;
    outbox.notify();
    eventually("it says so", || async { status.trouble() }).await;
    broker.start_again().await;
    drained(&outbox).await;
    status.well().await;
    assert_eq!(status.trouble(), None);
    shutdown.cancel();
    task.await.unwrap();
    assert_eq!(arrived(&broker).await.len(), 1);
}

/// An event that the broker refuses: its id was used for another.
async fn reused(broker: &Broker, key: &str) -> Event {
    let event = event(key, 0);
    let another = Event::new(event.source(), "another", &1).with_id(event.id());
    let published = broker.transport().publish(&messaging::Destination::topic("orders"), &[another]).await;
    assert_eq!(published, [Ok(())]);
    arrived(broker).await;
    event
}

#[tokio::test]
async fn what_is_refused_for_good_is_set_aside_alone_and_holds_its_key() {
    let broker = Broker::start().await;
    let (_folder, database, outbox) = service(&broker).await;
    let bad = reused(&broker, "bad").await;
    say(&database, &event("good", 1)).await;
    say(&database, &bad).await;
    say(&database, &event("bad", 2)).await;
    say(&database, &event("good", 3)).await;
    let relaying = Relaying::start(&outbox, broker.transport());
    drained(&outbox).await;
    let status = outbox.status().await.unwrap();
    let [aside] = &status.set_aside[..] else { panic!("{status:?}") };
    assert_eq!((aside.id.as_str(), aside.kind.as_str()), (bad.id(), "numbered"));
    assert!(aside.error.contains("id-reused"), "{}", aside.error);
    assert_eq!(by_key(&arrived(&broker).await), HashMap::from([("good".to_owned(), vec![1, 3])]));

    assert!(outbox.retry(bad.id()).await.unwrap());
    eventually("it is set aside again", || async {
        (outbox.status().await.unwrap().set_aside.len() == 1).then_some(())
    })
    .await;
    assert!(outbox.delete(bad.id()).await.unwrap());
    drained(&outbox).await;
    relaying.stop().await;
    assert_eq!(by_key(&arrived(&broker).await)["bad"], [2]);
    assert!(outbox.status().await.unwrap().set_aside.is_empty());
}

#[tokio::test]
async fn what_is_too_large_is_set_aside_and_the_rest_of_its_batch_goes() {
    let broker = Broker::start().await;
    let (_folder, database, outbox) = service(&broker).await;
    say(&database, &event("a", 1)).await;
    let large = Event::new("/test", "large", &"x".repeat(2 << 20)).with_partition_key("large");
    say(&database, &large).await;
    say(&database, &event("b", 2)).await;
    let relaying = Relaying::start(&outbox, broker.transport());
    drained(&outbox).await;
    relaying.stop().await;
    assert_eq!(outbox.status().await.unwrap().set_aside[0].id, large.id());
    assert_eq!(arrived(&broker).await.len(), 2);
}

#[tokio::test]
async fn without_a_subscription_nothing_is_lost_but_waits_for_one() {
    let broker = Broker::start().await;
    let (_folder, database, outbox) = service(&broker).await;
    let unsubscribed = messaging::Topology { subscriptions: Vec::new(), ..orders_to_work() };
    let path = format!("{}/topics/orders/subscriptions/work", broker.url());
    assert!(reqwest::Client::new().delete(path).send().await.unwrap().status().is_success());
    broker.transport().declare(&unsubscribed).await.unwrap();
    let relay = Relay::new(outbox.clone(), broker.transport());
    let status = relay.status();
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(relay.run(shutdown.clone()));
    say(&database, &event("a", 1)).await;
    let trouble = eventually("it says that nobody listens", || async { status.trouble() }).await;
    assert!(trouble.contains("no-route"), "{trouble}");
    assert!(topology::declare(&broker.transport(), &orders_to_work(), &shutdown).await.unwrap());
    drained(&outbox).await;
    shutdown.cancel();
    task.await.unwrap();
    assert_eq!(arrived(&broker).await.len(), 1);
}

#[tokio::test]
async fn published_rows_are_removed_after_the_retention() {
    let broker = Broker::start().await;
    let (_folder, database, outbox) = service(&broker).await;
    let shutdown = CancellationToken::new();
    let relay = Relay::new(outbox.clone(), broker.transport()).retention(Duration::ZERO);
    let task = tokio::spawn(relay.run(shutdown.clone()));
    say(&database, &event("a", 1)).await;
    outbox.notify();
    broker.wait_count("work", "published", 1).await;
    eventually("the row is gone", || async {
        let rows: i64 =
            sqlx::query_scalar("SELECT count(*) FROM outbox").fetch_one(database.reader()).await.unwrap();
        (rows == 0).then_some(())
    })
    .await;
    shutdown.cancel();
    task.await.unwrap();
}
