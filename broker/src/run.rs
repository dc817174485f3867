//! A whole broker on a listener: the folder, the engine and the server, from start to stop.

use anyhow::{Context as _, bail};
use serve::{http, program::Ready};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    api,
    broker::Broker,
    config::Config,
    engine::{self, EngineThread, fatal::AbortProcess},
    store::{Store, folder::DataFolder, sqlite::SqliteStore},
};

/// Runs a broker until `shutdown`: then receives no longer wait, requests that are open end, what was
/// taken is committed, and the store is closed. `ready` is set when it takes work; before that it
/// answers `/healthz` and `/readyz`.
///
/// # Errors
/// When the data folder can't be used or read, is in use by another process, or was written by a newer
/// version. When the store fails for good later on, the process is aborted.
pub async fn run(
    listener: TcpListener,
    config: Config,
    ready: Ready,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let (broker, engine) = start_engine(&config)?;
    let router = api::router(broker.clone(), broker.health(), config.api);
    let stop_serving = CancellationToken::new();
    let serving = tokio::spawn(http::run(listener, router, config.http, stop_serving.clone()));
    let ended = work(&broker, &ready, &shutdown).await;
    engine.drain();
    stop_serving.cancel();
    serving.await.context("the server panicked")?.context("the server failed")?;
    engine.stop().await.with_context(|| format!("the data folder {}", config.data.display()))?;
    ended
}

/// Locks the folder, so that a second start fails at once, and starts the engine on it.
fn start_engine(config: &Config) -> anyhow::Result<(Broker, EngineThread)> {
    let folder = DataFolder::open(&config.data)?;
    let open = move || SqliteStore::open(folder).map(|store| Box::new(store) as Box<dyn Store>);
    Ok(engine::start(config.engine, open, AbortProcess)?)
}

/// Until it is told to stop, or has ended by itself.
async fn work(broker: &Broker, ready: &Ready, shutdown: &CancellationToken) -> anyhow::Result<()> {
    tokio::select! {
        started = broker.ready() => started.context("the broker could not start")?,
        () = shutdown.cancelled() => return Ok(()),
    }
    ready.set();
    tokio::select! {
        () = broker.stopped() => bail!("the engine ended by itself"),
        () = shutdown.cancelled() => Ok(()),
    }
}
