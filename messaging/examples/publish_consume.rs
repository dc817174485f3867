//! Publishes ten greetings to a topic, and consumes them from a queue that hears it.
//!
//! `cargo run -p broker`, and beside it
//! `cargo run -p messaging --example publish_consume -- --broker-url http://127.0.0.1:7070`
#![allow(clippy::print_stdout)] // an example speaks to whoever runs it

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use messaging::{
    Consumer, Destination, Event, Failure, Handler, Publisher, Topology,
    topology::{OnFull, QueueSpec, SubscriptionSpec},
    transport,
};
use tokio_util::sync::CancellationToken;

const GREETINGS: usize = 10;

struct Greeter {
    greeted: AtomicUsize,
    done: CancellationToken,
}

#[async_trait]
impl Handler for Greeter {
    async fn handle(&self, event: &Event) -> Result<(), Failure> {
        // Data of another shape is a permanent failure: a dead letter at once.
        let name: String = event.decode()?;
        println!("hello, {name}");
        if self.greeted.fetch_add(1, Ordering::SeqCst) + 1 == GREETINGS {
            self.done.cancel();
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::args().skip_while(|arg| arg != "--broker-url").nth(1);
    let transport = transport::connect(url.as_deref().unwrap_or("http://127.0.0.1:7070"), None)?;
    let done = CancellationToken::new();

    let topology = Topology {
        topics: vec!["example.greetings".to_owned()],
        queues: vec![QueueSpec { name: "example.greeter".to_owned(), ordered_by_key: true }],
        subscriptions: vec![SubscriptionSpec {
            topic: "example.greetings".to_owned(),
            queue: "example.greeter".to_owned(),
            on_full: OnFull::Reject,
            without_types: vec![],
        }],
    };
    messaging::topology::declare(&transport, &topology, &done).await?;

    let publisher = Publisher::new(Arc::clone(&transport));
    let topic = Destination::topic("example.greetings");
    for n in 0..GREETINGS {
        let event =
            Event::new("/examples/publish", "greeting", &format!("number {n}")).with_partition_key("all");
        publisher.publish(&topic, event).await?;
    }

    let greeter = Arc::new(Greeter { greeted: AtomicUsize::new(0), done: done.clone() });
    Consumer::new(transport, "example.greeter", "example", greeter).run(done).await;
    Ok(())
}
