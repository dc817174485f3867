//! The publisher: one by one at the speed of batches.

use std::sync::Arc;

use futures_util::future::join_all;
use messaging::{Destination, Publisher, Transport, transport::PublishError};

use crate::{
    broker::{Broker, event, orders_to_work},
    faults::{Fault, Faulty, unreachable},
};

#[tokio::test]
async fn what_is_published_while_a_request_is_in_flight_goes_as_one_batch() {
    let broker = Broker::start().await;
    let transport = Faulty::new(broker.transport());
    transport.declare(&orders_to_work()).await.unwrap();
    let publisher = Publisher::new(Arc::clone(&transport) as Arc<dyn Transport>);
    let topic = Destination::topic("orders");
    let published = join_all((0..300).map(|n| publisher.publish(&topic, event("k", n)))).await;
    assert!(published.iter().all(Result::is_ok));
    assert_eq!(broker.count("work", "published").await, 300);
    let requests = transport.published.lock().unwrap().len();
    assert!(requests <= 10, "{requests} requests");
}

#[tokio::test]
async fn each_hears_what_became_of_its_own_event() {
    let broker = Broker::start().await;
    let transport = Faulty::new(broker.transport());
    transport.declare(&orders_to_work()).await.unwrap();
    let publisher = Publisher::new(Arc::clone(&transport) as Arc<dyn Transport>);
    let topic = Destination::topic("orders");
    let used = event("k", 1);
    publisher.publish(&topic, used.clone()).await.unwrap();
    let reused = event("other", 2).with_id(used.id());
    let (again, good, refused) = tokio::join!(
        publisher.publish(&topic, used),
        publisher.publish(&topic, event("k", 3)),
        publisher.publish(&topic, reused),
    );
    assert_eq!((again, good), (Ok(()), Ok(())));
    assert!(matches!(refused, Err(PublishError::Refused(_))), "{refused:?}");
    assert_eq!(broker.count("work", "published").await, 2);
}

#[tokio::test]
async fn an_outage_is_told_so_that_the_same_event_can_be_published_again() {
    let broker = Broker::start().await;
    let transport = Faulty::new(broker.transport());
    transport.declare(&orders_to_work()).await.unwrap();
    transport.fail_publish([Fault::NotSent(unreachable()), Fault::AnswerLost]);
    let publisher = Publisher::new(Arc::clone(&transport) as Arc<dyn Transport>);
    let (topic, event) = (Destination::topic("orders"), event("k", 1));
    for _ in 0..2 {
        let failed = publisher.publish(&topic, event.clone()).await;
        assert!(matches!(failed, Err(PublishError::Unavailable(_))), "{failed:?}");
    }
    publisher.publish(&topic, event).await.unwrap();
    assert_eq!(broker.count("work", "published").await, 1);
}
