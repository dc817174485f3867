//! What was declared and is there no more is declared again.

use std::{sync::Arc, time::Duration};

use messaging::{
    Consumer, Destination, Transport,
    transport::{Mode, PublishError, Receive, TransportError},
};
use tokio_util::sync::CancellationToken;

use crate::{
    broker::{Broker, event, eventually, orders_to_work},
    handlers::Told,
};

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
    let orders = Destination::topic("orders");
    eventually("what is published to the topic reaches the queue again", || async {
        broker.transport().publish(&orders, &[event("k", 1)]).await.remove(0).ok()
    })
    .await;
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
    let orders = Destination::topic("orders");
    eventually("the publish is tried again", || async {
        transport.publish(&orders, &[event("k", 1)]).await.remove(0).ok()
    })
    .await;
    assert_eq!(broker.count("work", "ready").await, 1);
}

#[tokio::test]
async fn what_was_never_declared_stays_missing() {
    let broker = Broker::start().await;
    let transport = broker.transport();
    let missing = async |transport: &Arc<dyn Transport>| {
        let published = transport.publish(&Destination::topic("other"), &[event("k", 1)]).await.remove(0);
        assert!(matches!(published, Err(PublishError::Unavailable(TransportError::Missing(_)))));
        let mode = Mode::AtMostOnce;
        let receive = Receive { max: 1, wait: Duration::ZERO, consumer: "tester".to_owned(), mode };
        let received = transport.receive("other", &receive).await;
        assert!(matches!(received, Err(TransportError::Missing(_))));
    };
    missing(&transport).await;
    transport.declare(&orders_to_work()).await.unwrap();
    missing(&transport).await;
    missing(&transport).await;
}
