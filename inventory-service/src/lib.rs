//! The inventory service: it listens to orders, holds their lines, lets them go with the order or back
//! to the shelf, and tells what came of it. An order is reserved whole or not at all.

pub mod api;
pub mod config;
pub mod handlers;
pub mod reservation;
pub mod stock;
pub mod store;
pub mod warehouse;

use std::sync::Arc;

use anyhow::Context;
use config::Config;
use events::queue;
use handlers::Handlers;
use messaging::{
    Consumer, Database, Outbox, Relay, topology,
    transport::{self, Transport},
};
use operations::readiness;
use serve::{health::Health, http::Limits, program::Ready};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How many events are worked on at a time; they share commits.
const CONCURRENCY: usize = 64;

/// Serves on `listener` and keeps the stock until `shutdown`; `ready` is set once it serves. While the
/// broker is away it serves what it knows, and says that it is not ready.
///
/// # Errors
/// When the data folder can't be used, the broker's URL is none, or what the broker holds conflicts with
/// what is declared.
pub async fn run(
    listener: TcpListener,
    config: Config,
    ready: Ready,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    serve::program::make_folder(&config.data)?;
    let database = Database::open(&config.data.join("inventory.db"), &store::MIGRATOR)
        .await
        .context("opening the database")?;
    let transport = transport::connect(&config.broker_url, config.broker_token.as_ref())?;
    let outbox = Outbox::new(database.clone());
    let handlers = Handlers::new(database.clone(), outbox.clone());
    let health = Health::starting();
    let router = api::router(database.clone(), outbox.clone(), &health);
    // Ends the server too when the work can't go on.
    let stop = shutdown.child_token();
    let work = tokio::spawn(work(transport, outbox, handlers, health, stop.clone()));
    ready.set();
    serve::http::run(listener, router, Limits::default(), stop).await?;
    work.await.context("keeping the stock")??;
    database.close().await;
    Ok(())
}

/// Declares the topology, then works on the queue and publishes from the outbox until `stop`.
async fn work(
    transport: Arc<dyn Transport>,
    outbox: Outbox,
    handlers: Handlers,
    health: Health,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    // However it ends, nothing is left that the server could serve for.
    let _stops_the_server = stop.clone().drop_guard();
    health.set_not_ready("waiting for the broker");
    if !topology::declare(&transport, &events::topology(), &stop).await? {
        return Ok(());
    }
    // The relay outlives the consumer: what the last handlers said goes out with it.
    let consumed = CancellationToken::new();
    let consumer = Consumer::new(
        Arc::clone(&transport),
        queue::INVENTORY_ORDERS,
        "inventory-service",
        Arc::new(handlers),
    )
    .concurrency(CONCURRENCY);
    let relay = Relay::new(outbox, transport);
    let workers = [consumer.status(), relay.status()];
    let watching = readiness::watch(&workers, health, stop.clone());
    let consuming = async {
        let _then_the_relay = consumed.clone().drop_guard();
        consumer.run(stop).await;
    };
    tokio::join!(consuming, relay.run(consumed.clone()), watching);
    Ok(())
}
