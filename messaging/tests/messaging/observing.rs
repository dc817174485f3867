//! What can be seen of it: spans with the trace of the event, and metrics.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use messaging::{Consumer, Outbox, Relay, Transport};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::{
    broker::{Broker, event, eventually, orders_to_work},
    database,
    handlers::Told,
    outbox::say,
};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What this process logs from now on, that of other tests too: a subscriber of one thread alone is not asked about
/// what another logs first.
fn logged() -> Lines {
    let lines = Lines::default();
    let writer = lines.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    lines
}

async fn consume_one(broker: &Broker) {
    let handler = Told::new(|_| async {
        tracing::info!("handled");
        Ok(())
    });
    let shutdown = CancellationToken::new();
    let consumer = Consumer::new(broker.transport(), "work", "tester", handler);
    let task = tokio::spawn(consumer.run(shutdown.clone()));
    broker.wait_count("work", "acked", 1).await;
    shutdown.cancel();
    task.await.unwrap();
}

#[tokio::test]
async fn a_handlers_logs_stand_in_a_span_with_the_trace_queue_and_id_of_the_event() {
    let lines = logged();
    let broker = Broker::start().await;
    broker.transport().declare(&orders_to_work()).await.unwrap();
    let event =
        event("order-1", 1).with_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    broker.publish("work", std::slice::from_ref(&event)).await;
    consume_one(&broker).await;
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let of_it = |line: &&str| line.contains("handled") && line.contains(event.id());
    let line = text.lines().find(of_it).unwrap();
    for field in [
        "process{",
        "otel.name=process work",
        "messaging.destination.name=\"work\"",
        &format!("messaging.message.id=\"{}\"", event.id()),
        "partition_key=\"order-1\"",
        "trace_id=\"0af7651916cd43dd8448eb211c80319c\"",
        "parent_span_id=\"b7ad6b7169203331\"",
    ] {
        assert!(line.contains(field), "{field} is not in {line}");
    }
}

#[tokio::test]
async fn deliveries_and_the_outbox_are_counted() {
    let metrics = serve::metrics::recorder();
    let broker = Broker::start().await;
    broker.transport().declare(&orders_to_work()).await.unwrap();
    let folder = TempDir::new().unwrap();
    let database = database::open(&folder).await;
    say(&database, &event("k", 1)).await;
    let shutdown = CancellationToken::new();
    let transport: Arc<dyn Transport> = broker.transport();
    let relay = tokio::spawn(Relay::new(Outbox::new(database), transport).run(shutdown.clone()));
    consume_one(&broker).await;
    shutdown.cancel();
    relay.await.unwrap();
    let text = eventually("all are there", || async {
        let text = metrics.render();
        text.contains("outbox_published_total").then_some(text)
    })
    .await;
    for metric in [
        "outbox_depth{database=\"service\"}",
        "outbox_oldest_age_seconds{database=\"service\"}",
        "outbox_published_total{database=\"service\"}",
        "consumer_deliveries_total{queue=\"work\",outcome=\"handled\"}",
        "consumer_handle_seconds_bucket{queue=\"work\"",
        "database_group_commit_size_bucket",
    ] {
        assert!(text.contains(metric), "{metric} is not in {text}");
    }
}
