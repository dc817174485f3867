//! The broker that is measured: in this process, but only spoken to over its port.

use std::{net::SocketAddr, path::Path};

use anyhow::Context as _;
use broker::Config;
use serve::program::Ready;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    shutdown: CancellationToken,
    serving: JoinHandle<anyhow::Result<()>>,
}

impl Server {
    /// Starts a broker on that folder, and waits until it takes work.
    pub(crate) async fn start(folder: &Path) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (ready, shutdown) = (Ready::new(), CancellationToken::new());
        let running = broker::run(listener, Config::new(folder), ready.clone(), shutdown.clone());
        let serving = tokio::spawn(running);
        ready.wait().await;
        Ok(Self { address, shutdown, serving })
    }

    /// Stops it in good order.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        self.serving.await.context("the broker panicked")?
    }
}

/// How many bytes the files of a folder have.
pub(crate) fn bytes_in(folder: &Path) -> anyhow::Result<u64> {
    let sizes = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.metadata()?.len()));
    sizes.sum()
}
