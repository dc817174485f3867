//! The analytics service: it counts what happens to orders and money, at most once. What it misses is
//! missed by choice, and it says how much that may be.

pub mod api;
pub mod config;
pub mod counter;
pub mod dropped;
pub mod store;
pub mod summary;
pub mod tally;

use std::sync::{Arc, atomic::AtomicI64};

use anyhow::Context;
use api::summary::Source;
use config::Config;
use counter::Counter;
use dropped::Dropped;
use events::queue;
use messaging::{
    status::Report,
    topology,
    transport::{self, Transport},
};
use operations::readiness;
use serve::{health::Health, http::Limits, program::Ready};
use store::Store;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Serves on `listener` and counts until `shutdown`; `ready` is set once it serves. While the broker is
/// away it serves what was counted, and says that it is not ready.
///
/// # Errors
/// When the data folder can't be used, the broker's URL is none, or what it holds conflicts with what
/// is declared.
pub async fn run(
    listener: TcpListener,
    config: Config,
    ready: Ready,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    serve::program::make_folder(&config.data)?;
    let store = Store::open(&config.data).await.context("opening the database")?;
    let transport = transport::connect(&config.broker_url, config.broker_token.as_ref())?;
    let (health, in_hand) = (Health::starting(), Arc::new(AtomicI64::new(0)));
    let dropped = Dropped::new(&config.broker_url, config.broker_token)?;
    let router =
        api::router(Source { store: store.clone(), in_hand: Arc::clone(&in_hand), dropped }, &health);
    // Ends the server too when the work can't go on.
    let stop = shutdown.child_token();
    let counters = [queue::ANALYTICS_ORDERS, queue::ANALYTICS_PAYMENTS].map(|queue| Counter {
        transport: Arc::clone(&transport),
        queue,
        store: store.clone(),
        in_hand: Arc::clone(&in_hand),
        report: Arc::new(Report::new(Some("not connected to the broker yet"))),
    });
    let work = tokio::spawn(work(transport, counters, health, stop.clone()));
    ready.set();
    serve::http::run(listener, router, Limits::default(), stop).await?;
    work.await.context("counting")??;
    store.close().await;
    Ok(())
}

/// Declares the topology, then counts until `stop`.
async fn work(
    transport: Arc<dyn Transport>,
    counters: [Counter; 2],
    health: Health,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    // However it ends, nothing is left that the server could serve for.
    let _stops_the_server = stop.clone().drop_guard();
    health.set_not_ready("waiting for the broker");
    if !topology::declare(&transport, &events::topology(), &stop).await? {
        return Ok(());
    }
    let workers = counters.each_ref().map(|counter| counter.report.status());
    let watching = readiness::watch(&workers, health, stop.clone());
    let [orders, payments] = counters;
    tokio::join!(orders.run(stop.clone()), payments.run(stop.clone()), watching);
    Ok(())
}
