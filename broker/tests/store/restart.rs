//! What a restart keeps: all of it.

use std::{path::Path, sync::Arc, time::Duration};

use broker_core::{
    choice::Chosen,
    command::{Command, Destination, NewMessage, Publish, Receive, SubscriptionPatch, When},
    identity::Selector,
    reply::{Reply, SettleStatus},
    settings::{OnFull, Ordering, QueueSettingsPatch, TopicSettingsPatch},
    view::WaitingState,
};

use crate::running::{Running, identity, message, name, numbers, publish, receipts, receive};

/// How many records the database holds.
fn stored_messages(folder: &Path) -> u64 {
    let database = rusqlite::Connection::open(folder.join("broker.sqlite")).unwrap();
    database
        .query_row("SELECT count(*) FROM messages", [], |row| row.get::<_, i64>(0))
        .unwrap()
        .unsigned_abs()
}

async fn restarted(running: Running, folder: &Path) -> Running {
    running.stop().await;
    Running::start(folder).await
}

#[tokio::test]
async fn messages_settings_and_totals_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    let settings = QueueSettingsPatch {
        ordering: Some(Ordering::Key),
        ttl: Some(Some(Duration::from_hours(1))),
        ..QueueSettingsPatch::default()
    };
    running.queue_with("q", settings).await;
    for number in 1..=3 {
        let keyed = NewMessage { key: Some(Arc::from(format!("k{number}"))), ..message(number) };
        publish(running.broker.clone(), "q", vec![keyed]).await.unwrap();
    }
    let delayed = NewMessage { available: Some(When::After(Duration::from_mins(5))), ..message(4) };
    publish(running.broker.clone(), "q", vec![delayed]).await.unwrap();
    let (_, receipt) = running.receive_one("q").await;
    running.ack("q", receipt).await;
    let before = running.look("q", |queue| (queue.settings.clone(), queue.counters, queue.gauges)).await;

    let running = restarted(running, folder.path()).await;
    let after = running.look("q", |queue| (queue.settings.clone(), queue.counters, queue.gauges)).await;
    assert_eq!(after, before);
    assert_eq!((after.2.ready, after.2.delayed), (2, 1));
    assert_eq!(numbers(&running.receive("q", 10).await), [2, 3]);
    running.stop().await;
}

#[tokio::test]
async fn a_receipt_from_before_is_good() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    running.queue("q").await;
    for number in 1..=3 {
        running.publish("q", number).await.unwrap();
    }
    let handout = running.receive("q", 3).await;
    let running = restarted(running, folder.path()).await;
    assert_eq!(running.look("q", |queue| queue.gauges.leased).await, 3);
    for receipt in receipts(&handout) {
        assert_eq!(running.ack("q", receipt).await, SettleStatus::Done);
    }
    let running = restarted(running, folder.path()).await;
    assert_eq!(running.ack("q", receipts(&handout)[0]).await, SettleStatus::AlreadySettled);
    running.stop().await;
}

#[tokio::test]
async fn a_receive_that_is_asked_again_gives_the_same_deliveries() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    running.queue("q").await;
    running.publish("q", 1).await.unwrap();
    running.publish("q", 2).await.unwrap();
    let named = Receive { receive_id: Some(Arc::from("r")), ..receive("q", 1) };
    let first = running.broker.receive(named.clone(), Duration::ZERO).await.unwrap();
    let running = restarted(running, folder.path()).await;
    let again = running.broker.receive(named, Duration::ZERO).await.unwrap();
    assert_eq!(receipts(&again), receipts(&first));
    assert_eq!(again.deliveries[0].delivered.delivery_count, 1);
    running.stop().await;
}

#[tokio::test]
async fn delivery_counts_reasons_and_histories_are_kept_until_it_is_a_dead_letter() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = Running::start(folder.path()).await;
    running.queue("q").await;
    running.publish("q", 1).await.unwrap();
    for (count, reason) in ["one", "two", "three"].into_iter().enumerate() {
        let handout = running.receive("q", 1).await;
        let delivery = &handout.deliveries[0];
        assert_eq!(delivery.delivered.delivery_count as usize, count + 1);
        assert_eq!(delivery.last_reason.as_deref(), [None, Some("one"), Some("two")][count]);
        running.nack("q", receipts(&handout)[0], reason).await;
        running = restarted(running, folder.path()).await;
    }
    let (queue, dead) = running
        .broker
        .look(|core, _| {
            let queue = core.queue(&name("q")).unwrap().id;
            (queue, core.dead_letters(&name("q"), None, 10))
        })
        .await
        .unwrap();
    assert_eq!(dead.len(), 1);
    let history = running.broker.history(queue, dead[0].sequence).await.unwrap();
    let reasons: Vec<_> = history.iter().map(|failure| failure.reason.as_deref().unwrap()).collect();
    assert_eq!(reasons, ["one", "two", "three"]);
    let last = running.broker.last_failures(queue, vec![dead[0].sequence]).await.unwrap();
    assert_eq!(last[0].as_ref(), history.last());
    running.stop().await;
}

#[tokio::test]
async fn a_reason_given_in_the_same_group_reaches_the_next_delivery() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    running.queue("q").await;
    running.publish("q", 1).await.unwrap();
    let (_, receipt) = running.receive_one("q").await;
    let broker = running.broker.clone();
    let waiting = tokio::spawn(async move { broker.receive(receive("q", 1), crate::running::LONG).await });
    running.nack("q", receipt, "not yet").await;
    let handout = waiting.await.unwrap().unwrap();
    assert_eq!(handout.deliveries[0].last_reason.as_deref(), Some("not yet"));
    running.stop().await;
}

#[tokio::test]
async fn ids_are_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    running.queue("q").await;
    running.publish("q", 1).await.unwrap();
    let (_, receipt) = running.receive_one("q").await;
    running.ack("q", receipt).await;
    let running = restarted(running, folder.path()).await;
    assert!(running.publish("q", 1).await.unwrap().duplicate);
    assert!(!running.publish("q", 2).await.unwrap().duplicate);
    running.stop().await;
}

#[tokio::test]
async fn a_message_in_many_queues_is_stored_once_and_each_copy_goes_its_own_way() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    let topic = name("t");
    let put = Command::PutTopic {
        name: topic.clone(),
        settings: TopicSettingsPatch::default(),
        only_create: false,
    };
    running.broker.send(put).await.unwrap();
    for queue in ["a", "b", "c"] {
        running.queue(queue).await;
        let (topic, queue) = (topic.clone(), name(queue));
        let settings = SubscriptionPatch { on_full: Some(OnFull::Drop), ..Default::default() };
        let subscribe =
            Command::PutSubscription { topic, queue, settings, only_create: false, chosen: Chosen::All };
        running.broker.send(subscribe).await.unwrap();
    }
    let destination = Destination::Topic(topic.clone());
    let publish = Publish { destination, messages: vec![message(1)], require_route: true };
    let Reply::Published(published) = running.broker.send(Command::Publish(publish)).await.unwrap() else {
        panic!("no publish");
    };
    assert_eq!(published[0].queues, 3);
    assert_eq!(stored_messages(folder.path()), 1);
    let (_, acked) = running.receive_one("a").await;
    running.ack("a", acked).await;
    let (_, failed) = running.receive_one("b").await;
    running.nack("b", failed, "no").await;

    let running = restarted(running, folder.path()).await;
    let places = running
        .broker
        .look(|core, _| core.find_anywhere(Selector { id: identity(1).id, whole: None }))
        .await
        .unwrap();
    assert_eq!(places.len(), 1);
    assert_eq!(places[0].queues.len(), 2);
    let subscriptions = running.broker.look(move |core, _| core.subscriptions(&topic).len()).await.unwrap();
    assert_eq!(subscriptions, 3);
    for queue in ["b", "c"] {
        let (number, receipt) = running.receive_one(queue).await;
        assert_eq!(number, 1);
        running.ack(queue, receipt).await;
    }
    let records = running.broker.records(vec![places[0].sequence]).await.unwrap();
    assert_eq!(records, [None]);
    assert_eq!(stored_messages(folder.path()), 0);
    running.stop().await;
}

#[tokio::test]
async fn a_queue_that_is_removed_is_gone_and_its_receipts_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    running.queue("q").await;
    for number in 1..=20 {
        running.publish("q", number).await.unwrap();
    }
    let handout = running.receive("q", 5).await;
    running.broker.send(Command::DeleteQueue { name: name("q"), force: true }).await.unwrap();
    running.queue("q").await;
    let running = restarted(running, folder.path()).await;
    assert_eq!(running.look("q", |queue| queue.gauges).await, Default::default());
    let ack = Command::Ack { queue: name("q"), receipts: receipts(&handout) };
    let Reply::Settled(settled) = running.broker.send(ack).await.unwrap() else { panic!() };
    assert!(settled.iter().all(|it| it.status == SettleStatus::AlreadySettled), "{settled:?}");
    assert!(!running.publish("q", 1).await.unwrap().duplicate);
    let waiting = running.broker.look(|core, _| core.browse(&name("q"), Some(WaitingState::Ready), None, 10));
    assert_eq!(waiting.await.unwrap().len(), 1);
    running.stop().await;
}
