//! The figures of many queues: asked for in pages, each queue shown once.

use futures_util::future::join_all;

use crate::running::{Running, message, publish};

/// More than one look copies.
const QUEUES: usize = 1100;

#[tokio::test]
async fn every_queue_of_many_is_in_the_metrics_once() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    let names: Vec<_> = (0..QUEUES).map(|number| format!("q{number}")).collect();
    join_all(names.iter().map(|name| running.queue(name))).await;
    publish(running.broker.clone(), "q1000", vec![message(1), message(2)]).await.unwrap();
    let text = running.broker.metrics().await.unwrap();
    let of = |figure: &str| text.lines().filter(|line| line.starts_with(figure)).count();
    assert_eq!((of("broker_queue_ready{"), of("broker_queue_acked_total{")), (QUEUES, QUEUES));
    for name in &names {
        let ready = if name == "q1000" { 2 } else { 0 };
        assert!(text.contains(&format!("broker_queue_ready{{queue=\"{name}\"}} {ready}\n")), "{name}");
    }
    running.stop().await;
}
