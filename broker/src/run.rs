//! A whole broker on a listener: the folder, the engine and the server, from start to stop.

use std::{io::ErrorKind, sync::Arc};

use anyhow::{Context as _, bail};
use serve::{http, program::Ready, tls::Tls};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    api,
    auth::{
        local::{LocalFile, reachable},
        reach,
        tokens::Tokens,
    },
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
/// version; when the files of TLS can't be used; when others than this machine would be served without tokens and that is not allowed. When the store fails for good later on, the process is aborted.
pub async fn run(
    listener: TcpListener,
    config: Config,
    ready: Ready,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let folder = DataFolder::open(&config.data)?;
    let tokens = Arc::new(Tokens::open(&folder)?);
    let address = listener.local_addr().context("the listener has no address")?;
    reach::check(address, &tokens, config.allow_anonymous)?;
    let tls = load_tls(&config).await?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let local = write_local(&config, &format!("{scheme}://{}", reachable(address)), &tokens)?;
    let (broker, engine) = start_engine(&config, folder)?;
    let router = api::router(broker.clone(), tokens, broker.health(), config.api);
    let stop_serving = CancellationToken::new();
    let serving = tokio::spawn(http::run_over(listener, router, config.http, tls, stop_serving.clone()));
    let ended = work(&broker, &ready, &shutdown).await;
    engine.drain();
    stop_serving.cancel();
    serving.await.context("the server panicked")?.context("the server failed")?;
    // While the folder is still locked: afterwards it may be another's.
    drop(local);
    engine.stop().await.with_context(|| format!("the data folder {}", config.data.display()))?;
    ended
}

async fn load_tls(config: &Config) -> anyhow::Result<Option<Tls>> {
    match config.tls.clone() {
        Some(files) => Ok(Some(Tls::load(files).await.context("TLS")?)),
        None => Ok(None),
    }
}

/// Writes `local.json`. A full disk is no reason not to start: acks are what makes room on it.
fn write_local(config: &Config, url: &str, tokens: &Tokens) -> anyhow::Result<Option<LocalFile>> {
    match LocalFile::write(&config.data, url.to_owned(), tokens) {
        Ok(local) => Ok(Some(local)),
        Err(error) if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
            tracing::warn!(error = %error, "local.json could not be written: the disk is full");
            Ok(None)
        }
        Err(error) => Err(error).with_context(|| format!("can't write to {}", config.data.display())),
    }
}

/// Starts the engine on a folder that is locked already, so that a second start fails at once.
fn start_engine(config: &Config, folder: DataFolder) -> anyhow::Result<(Broker, EngineThread)> {
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
