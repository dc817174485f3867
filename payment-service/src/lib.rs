//! The payment service: it listens to orders, authorizes, captures, voids and refunds at a payment
//! gateway, each once, and tells what came of it. It decides nothing about orders.

pub mod announcement;
pub mod api;
pub mod cashier;
pub mod config;
pub mod gateway;
pub mod handlers;
pub mod payment;
pub mod store;
pub mod sweeper;

use std::sync::Arc;

use anyhow::Context;
use cashier::Cashier;
use config::Config;
use events::queue;
use gateway::sandbox::Sandbox;
use handlers::Handlers;
use messaging::{
    Consumer, Database, Outbox, Relay, topology,
    transport::{self, Transport},
};
use operations::readiness;
use serve::{health::Health, http::Limits, program::Ready};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How many events are worked on at a time: enough that a gateway which takes 2 s for each answer does
/// not hold up the others.
const CONCURRENCY: usize = 256;

/// Serves on `listener` and carries payments through until `shutdown`; `ready` is set once it serves.
/// While the broker is away it serves what it knows, and says that it is not ready.
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
    let database = Database::open(&config.data.join("payment.db"), &store::MIGRATOR)
        .await
        .context("opening the database")?;
    let sandbox = Sandbox::open_file(&config.data.join("sandbox.db"))
        .await
        .context("opening the sandbox gateway's ledger")?;
    let transport = transport::connect(&config.broker_url, config.broker_token.as_ref())?;
    let outbox = Outbox::new(database.clone());
    let gateway = Arc::new(sandbox.clone());
    let cashier = Cashier::new(database.clone(), outbox.clone(), gateway, config.gateway_timeout);
    let health = Health::starting();
    let router = api::router(database.clone(), outbox.clone(), sandbox.clone(), &health);
    // Ends the server too when the work can't go on.
    let stop = shutdown.child_token();
    let sweeping = tokio::spawn(sweeper::run(database.clone(), cashier.clone(), stop.clone()));
    let work = tokio::spawn(work(transport, outbox, Handlers::new(cashier), health, stop.clone()));
    ready.set();
    serve::http::run(listener, router, Limits::default(), stop).await?;
    work.await.context("working on payments")??;
    sweeping.await.context("sweeping open intents")?;
    database.close().await;
    sandbox.ledger().close().await;
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
    let consumer =
        Consumer::new(Arc::clone(&transport), queue::PAYMENT_ORDERS, "payment-service", Arc::new(handlers))
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
