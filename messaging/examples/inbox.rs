//! Hears of one payment twice, for the first ack never arrives, and takes the money once: the inbox row
//! is written in the transaction of the effect.
//!
//! `cargo run -p broker`, and beside it
//! `cargo run -p messaging --example inbox -- --broker-url http://127.0.0.1:7070`
#![allow(clippy::print_stdout)] // an example speaks to whoever runs it

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use messaging::{
    Consumer, Database, Destination, Event, Failure, Handler, Topology, topology::QueueSpec, transport,
};
use sqlx::{
    SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};
use tokio_util::sync::CancellationToken;

const CONSUMER: &str = "example.cashier";

fn migrations() -> Migrator {
    let sql = "CREATE TABLE takings (cents INTEGER NOT NULL)".into_sql_str();
    Migrator::with_migrations(vec![Migration::new(1, "takings".into(), MigrationType::Simple, sql, false)])
}

struct Cashier {
    database: Database,
    deliveries: AtomicUsize,
    done: CancellationToken,
}

#[async_trait]
impl Handler for Cashier {
    async fn handle(&self, event: &Event) -> Result<(), Failure> {
        let cents = event.decode::<i64>()?;
        let taken = self.database.hear(CONSUMER, event, move |connection| {
            Box::pin(async move {
                sqlx::query("INSERT INTO takings VALUES (?1)").bind(cents).execute(connection).await?;
                Ok::<_, Failure>(())
            })
        });
        println!("{}: {}", event.id(), if taken.await?.is_some() { "taken" } else { "heard before" });
        if self.deliveries.fetch_add(1, Ordering::SeqCst) == 0 {
            // Committed, and then the ack is lost: the message comes again.
            return Err(Failure::transient("crashed just before the ack"));
        }
        self.done.cancel();
        Ok(())
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::args().skip_while(|arg| arg != "--broker-url").nth(1);
    let transport = transport::connect(url.as_deref().unwrap_or("http://127.0.0.1:7070"), None)?;
    let done = CancellationToken::new();
    let queues = vec![QueueSpec { name: CONSUMER.to_owned(), ordered_by_key: true }];
    messaging::topology::declare(&transport, &Topology { queues, ..Topology::default() }, &done).await?;

    let event = Event::new("/examples/inbox", "payment", &1299).with_partition_key("order-1");
    for result in transport.publish(&Destination::queue(CONSUMER), &[event]).await {
        result?;
    }

    let folder = tempfile::tempdir()?;
    let database = Database::open(&folder.path().join("cashier.sqlite"), &migrations()).await?;
    let cashier =
        Arc::new(Cashier { database: database.clone(), deliveries: AtomicUsize::new(0), done: done.clone() });
    Consumer::new(transport, CONSUMER, "example", cashier).run(done).await;

    let taken: i64 =
        sqlx::query_scalar("SELECT sum(cents) FROM takings").fetch_one(database.reader()).await?;
    println!("in the till: {taken} cents");
    database.close().await;
    Ok(())
}
