//! Journeys: what happened to a message, as far as memory reaches.

use broker_core::{
    activity::ActivityKind::{Acked, Copied, Leased, Nacked, Published},
    identity::Selector,
};

use crate::running::Running;

fn selector(number: u64) -> Selector {
    Selector { id: number, whole: None }
}

#[tokio::test]
async fn a_journey_tells_each_step_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    running.queue("q").await;
    running.publish("q", 7).await.unwrap();
    let (_, receipt) = running.receive_one("q").await;
    running.nack("q", receipt, "busy").await;
    let (_, receipt) = running.receive_one("q").await;
    running.ack("q", receipt).await;
    let journey = running.broker.journey(selector(7), Box::new(|_, _| true)).await.unwrap().unwrap();
    let steps: Vec<_> = journey.steps.iter().map(|step| step.what).collect();
    assert_eq!(steps, [Published, Copied, Leased, Nacked, Leased, Acked]);
    assert_eq!(journey.steps[3].reason.as_deref(), Some("busy"));
    assert!(journey.complete && journey.places.is_empty() && journey.others == 0);
    running.stop().await;
}

#[tokio::test]
async fn after_a_restart_a_journey_is_not_complete_but_says_where_the_message_is() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    running.queue("q").await;
    running.publish("q", 7).await.unwrap();
    running.stop().await;
    let running = Running::start(folder.path()).await;
    let journey = running.broker.journey(selector(7), Box::new(|_, _| true)).await.unwrap().unwrap();
    assert!(!journey.complete);
    assert_eq!(journey.places[0].1.as_str(), "q");
    assert_eq!(running.broker.journey(selector(8), Box::new(|_, _| true)).await.unwrap(), None);
    running.stop().await;
}
