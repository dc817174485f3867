//! Writes orders and what is said of them in one transaction each; the relay publishes what was
//! committed, and nothing else. Stop the broker meanwhile: orders are taken all the same.
//!
//! `cargo run -p broker`, and beside it
//! `cargo run -p messaging --example outbox -- --broker-url http://127.0.0.1:7070`
#![allow(clippy::print_stdout)] // an example speaks to whoever runs it

use std::time::Duration;

use messaging::{
    Database, DatabaseError, Event, Outbox, Relay, Topology, outbox,
    topology::{OnFull, QueueSpec, SubscriptionSpec},
    transport,
};
use serde_json::json;
use sqlx::{
    SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};
use tokio_util::sync::CancellationToken;

fn migrations() -> Migrator {
    let sql = "CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT NOT NULL UNIQUE)".into_sql_str();
    Migrator::with_migrations(vec![Migration::new(1, "orders".into(), MigrationType::Simple, sql, false)])
}

/// The order and its event: both or neither. `UNIQUE` refuses the second of an item, and with it its event.
async fn place(database: &Database, item: &'static str) -> Result<(), DatabaseError> {
    database
        .write(move |connection| {
            Box::pin(async move {
                let event = Event::new("/examples/outbox", "order.placed", &json!({ "item": item }));
                outbox::add(connection, "example.orders", &event.with_partition_key(item)).await?;
                sqlx::query("INSERT INTO orders (item) VALUES (?1)").bind(item).execute(connection).await?;
                Ok(())
            })
        })
        .await
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::args().skip_while(|arg| arg != "--broker-url").nth(1);
    let transport = transport::connect(url.as_deref().unwrap_or("http://127.0.0.1:7070"), None)?;
    let shutdown = CancellationToken::new();
    let topology = Topology {
        topics: vec!["example.orders".to_owned()],
        queues: vec![QueueSpec { name: "example.kitchen".to_owned(), ordered_by_key: true }],
        subscriptions: vec![SubscriptionSpec {
            topic: "example.orders".to_owned(),
            queue: "example.kitchen".to_owned(),
            on_full: OnFull::Reject,
            without_types: vec![],
        }],
    };
    messaging::topology::declare(&transport, &topology, &shutdown).await?;

    let folder = tempfile::tempdir()?;
    let database = Database::open(&folder.path().join("orders.sqlite"), &migrations()).await?;
    let outbox = Outbox::new(database.clone());
    let relay = tokio::spawn(Relay::new(outbox.clone(), transport).run(shutdown.clone()));

    for item in ["coffee", "tea", "coffee"] {
        match place(&database, item).await {
            Ok(()) => println!("{item}: ordered"),
            Err(error) => println!("{item}: {}", messaging::failure::reason(&error)),
        }
        outbox.notify();
    }
    while outbox.status().await?.depth > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("all that was committed is published, and nothing else");

    shutdown.cancel();
    relay.await?;
    database.close().await;
    Ok(())
}
