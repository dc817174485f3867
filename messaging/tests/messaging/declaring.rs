//! What was declared and is there no more is declared again.

use std::{sync::Arc, time::Duration};

use messaging::{
    Consumer, Destination, Transport,
    transport::{Mode, PublishError, Receive, Settle, Settled, Settlement, TransportError},
};
use tokio_util::sync::CancellationToken;

use crate::{
    broker::{Broker, event, eventually, orders_to_work},
    handlers::Told,
};

/// Publishes to the topic, again and again until a queue takes it.
async fn published(transport: &Arc<dyn Transport>) {
    let orders = Destination::topic("orders");
    eventually("what is published reaches a queue", || async {
        transport.publish(&orders, &[event("k", 1)]).await.remove(0).ok()
    })
    .await;
}

#[tokio::test]
async fn a_consumer_goes_on_though_its_queue_was_removed() {
    let broker = Broker::start().await;
    let transport = broker.transport();
    transport.declare(&orders_to_work()).await.unwrap();
    let handler = Told::new(|_| async { Ok(()) });
    let consumer = Consumer::new(transport, "work", "tester", handler);
    let stop = CancellationToken::new();
    let consuming = tokio::spawn(consumer.run(stop.clone()));
    broker.remove_queue("work").await;
    published(&broker.transport()).await;
    broker.wait_count("work", "acked", 1).await;
    stop.cancel();
    consuming.await.unwrap();
}

#[tokio::test]
async fn a_publisher_goes_on_though_the_broker_lost_its_data() {
    let mut broker = Broker::start().await;
    let transport = broker.transport();
    transport.declare(&orders_to_work()).await.unwrap();
    broker.stop();
    broker.lose_data();
    broker.start_again().await;
    published(&transport).await;
    assert_eq!(broker.count("work", "ready").await, 1);
}

#[tokio::test]
async fn nothing_is_published_to_a_part_of_the_topology() {
    let mut broker = Broker::start().await;
    let transport = broker.transport();
    transport.declare(&orders_to_work()).await.unwrap();
    broker.stop();
    let receive = transport.receive("work", &at_once()).await;
    assert!(matches!(receive, Err(TransportError::Unreachable { .. })));
    broker.lose_data();
    broker.start_again().await;
    // Another service is quicker, and has declared its own queue so far.
    let mut part = orders_to_work();
    part.queues[0].name = "other".to_owned();
    part.subscriptions[0].queue = "other".to_owned();
    broker.transport().declare(&part).await.unwrap();
    let published = transport.publish(&Destination::topic("orders"), &[event("k", 1)]).await;
    assert_eq!(published, [Ok(())]);
    assert_eq!((broker.count("work", "ready").await, broker.count("other", "ready").await), (1, 1));
}

#[tokio::test]
async fn a_receipt_of_a_broker_that_lost_its_data_acts_on_nothing() {
    let mut broker = Broker::start().await;
    let transport = broker.transport();
    transport.declare(&orders_to_work()).await.unwrap();
    let receive_one = async || {
        eventually("a delivery", || async {
            broker.publish("work", &[event("k", 1)]).await;
            transport.receive("work", &leased()).await.unwrap().pop()
        })
        .await
    };
    let old = receive_one().await.lease.unwrap().receipt;
    broker.stop();
    broker.lose_data();
    broker.start_again().await;
    broker.transport().declare(&orders_to_work()).await.unwrap();
    let transport = broker.transport();
    let ack_old = [Settlement { receipt: old.clone(), settle: Settle::Ack }];
    assert_eq!(
        transport.settle("work", &ack_old).await.unwrap(),
        [Settled::Already],
        "it has given none yet"
    );
    broker.publish("work", &[event("k", 1)]).await;
    let new = transport.receive("work", &leased()).await.unwrap().remove(0).lease.unwrap().receipt;
    let ack = |receipt| [Settlement { receipt, settle: Settle::Ack }];
    assert_eq!(transport.settle("work", &ack(old)).await.unwrap(), [Settled::Already]);
    assert_eq!(transport.settle("work", &ack(new)).await.unwrap(), [Settled::Done]);
}

/// A receive that waits for nothing.
fn at_once() -> Receive {
    Receive { max: 1, wait: Duration::ZERO, consumer: "tester".to_owned(), mode: Mode::AtMostOnce }
}

fn leased() -> Receive {
    let receive_id = uuid::Uuid::now_v7().to_string();
    Receive { mode: Mode::Leased { lease: Duration::from_secs(30), receive_id }, ..at_once() }
}

#[tokio::test]
async fn what_was_never_declared_stays_missing() {
    let broker = Broker::start().await;
    let transport = broker.transport();
    let missing = async |transport: &Arc<dyn Transport>| {
        let published = transport.publish(&Destination::topic("other"), &[event("k", 1)]).await.remove(0);
        assert!(matches!(published, Err(PublishError::Unavailable(TransportError::Missing(_)))));
        let received = transport.receive("other", &at_once()).await;
        assert!(matches!(received, Err(TransportError::Missing(_))));
    };
    missing(&transport).await;
    transport.declare(&orders_to_work()).await.unwrap();
    missing(&transport).await;
    missing(&transport).await;
}
