//! `pipeline up`: the broker and all services as tasks of one process. Each has a listener of its own,
//! and they speak to each other over HTTP alone, as they would as processes of their own.

mod command;
mod lock;
mod part;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    time::Duration,
};

use anyhow::{Context, bail};
use messaging::transport::Token;
use serde::Deserialize;
use tokio::{net::TcpListener, task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;

pub use self::command::UpArgs;
use self::{lock::FolderLock, part::ToBroker};
use crate::{
    client::Client,
    places::{Part, Places},
};

/// How long all parts may take to be ready.
const START_TIME: Duration = Duration::from_secs(30);
/// How long the services, and then the broker, may take to stop.
const STOP_TIME: Duration = Duration::from_secs(20);
/// How often it is looked whether a part is ready.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Where free ports are looked for, and how often.
const FREE_PORTS: std::ops::Range<u16> = 10_000..32_000;
const TRIES: usize = 100;

/// A pipeline that runs in this process.
#[derive(Debug)]
pub struct Pipeline {
    addresses: Vec<(Part, SocketAddr)>,
    services: Running,
    broker: Running,
    _lock: FolderLock,
}

/// Parts that run, and what stops them.
#[derive(Debug)]
struct Running {
    tasks: JoinSet<(Part, anyhow::Result<()>)>,
    stop: CancellationToken,
}

impl Pipeline {
    /// Starts all parts on that folder, the broker on `port` and the others on the ports after it (0
    /// takes free ones), and waits until all are ready.
    ///
    /// # Errors
    /// When the folder is in use by another pipeline, a port is taken, or a part does not start.
    pub async fn start(data: &Path, port: u16) -> anyhow::Result<Self> {
        let lock = FolderLock::take(data)?;
        let listeners = listen(port).await?;
        let addresses = listeners
            .iter()
            .map(|(part, listener)| Ok((*part, listener.local_addr()?)))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let mut pipeline = Self { addresses, services: Running::new(), broker: Running::new(), _lock: lock };
        let (broker, services): (Vec<_>, Vec<_>) =
            listeners.into_iter().partition(|(part, _)| *part == Part::Broker);
        let mut to_broker = ToBroker { url: pipeline.places().of(Part::Broker).to_owned(), token: None };
        pipeline.start_parts(broker, data, &to_broker).await?;
        to_broker.token = own_token(data)?;
        pipeline.start_parts(services, data, &to_broker).await?;
        Ok(pipeline)
    }

    /// Starts parts, and waits until they are ready.
    async fn start_parts(
        &mut self,
        listeners: Vec<(Part, TcpListener)>,
        data: &Path,
        to_broker: &ToBroker,
    ) -> anyhow::Result<()> {
        let parts: Vec<Part> = listeners.iter().map(|(part, _)| *part).collect();
        for (part, listener) in listeners {
            let running = if part == Part::Broker { &mut self.broker } else { &mut self.services };
            running.start(part, listener, data, to_broker);
        }
        let places = self.places();
        tokio::select! {
            ready = timeout(START_TIME, all_ready(&places, &parts)) => {
                ready.context("not all parts were ready in time")?
            }
            ended = self.ended() => Err(ended),
        }
    }

    /// Where each part listens.
    #[must_use]
    pub fn addresses(&self) -> &[(Part, SocketAddr)] {
        &self.addresses
    }

    /// The same as URLs.
    #[must_use]
    pub fn places(&self) -> Places {
        Places::new(Part::ALL.map(|part| {
            let found = self.addresses.iter().find(|(of, _)| *of == part);
            found.map_or_else(String::new, |(_, address)| format!("http://{address}"))
        }))
    }

    /// Waits until a part ends by itself, which it should not.
    async fn ended(&mut self) -> anyhow::Error {
        tokio::select! {
            error = self.services.ended() => error,
            error = self.broker.ended() => error,
        }
    }

    /// Runs until `shutdown`, then stops cleanly: the services first, for they need the broker to
    /// finish.
    ///
    /// # Errors
    /// When a part ended by itself, did not stop in time, or failed as it stopped.
    pub async fn run_until(mut self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let ended = tokio::select! {
            () = shutdown.cancelled() => None,
            error = self.ended() => Some(error),
        };
        let stopped = self.stop().await;
        ended.map_or(stopped, Err)
    }

    /// Stops all parts.
    ///
    /// # Errors
    /// When one did not stop in time, or failed as it stopped.
    pub async fn stop(self) -> anyhow::Result<()> {
        let services = self.services.stop().await;
        let broker = self.broker.stop().await;
        services.and(broker)
    }
}

impl Running {
    fn new() -> Self {
        Self { tasks: JoinSet::new(), stop: CancellationToken::new() }
    }

    fn start(&mut self, part: Part, listener: TcpListener, data: &Path, to_broker: &ToBroker) {
        let data = data.join(part.name());
        let running = part::run(part, listener, data, to_broker.clone(), self.stop.clone());
        self.tasks.spawn(async move { (part, running.await) });
    }

    /// Waits until one of them ends before it was stopped.
    async fn ended(&mut self) -> anyhow::Error {
        match self.tasks.join_next().await {
            Some(Ok((part, Ok(())))) => anyhow::anyhow!("{part} ended by itself"),
            Some(Ok((part, Err(error)))) => error.context(format!("{part} failed")),
            Some(Err(panicked)) => anyhow::Error::new(panicked).context("a part panicked"),
            None => std::future::pending().await,
        }
    }

    async fn stop(mut self) -> anyhow::Result<()> {
        self.stop.cancel();
        let all = async {
            let mut result = Ok(());
            while let Some(ended) = self.tasks.join_next().await {
                let (part, ended) = ended.context("a part panicked")?;
                result = result.and(ended.with_context(|| format!("stopping {part}")));
            }
            result
        };
        timeout(STOP_TIME, all).await.context("not all parts stopped in time")?
    }
}

/// The token that a running broker keeps in its folder for whoever can read that: the services of this process
/// are let in by it, so that they go on when others are made.
fn own_token(data: &Path) -> anyhow::Result<Option<Token>> {
    let access = broker::auth::local::read(&data.join(Part::Broker.name()))
        .context("the broker's local.json can't be read")?;
    Ok(access.map(|access| access.token.parse()).transpose()?)
}

/// Listens on `port` and those after it; for 0, on the first free row of them that is found. The row is
/// looked for below the ports that systems give to outgoing connections, so that none of them takes one
/// of its ports while the pipeline restarts.
async fn listen(port: u16) -> anyhow::Result<Vec<(Part, TcpListener)>> {
    if port != 0 {
        return listen_from(port).await;
    }
    for _ in 0..TRIES {
        if let Ok(listeners) = listen_from(rand::random_range(FREE_PORTS)).await {
            return Ok(listeners);
        }
    }
    bail!("no six free ports in a row were found: name the first of them, as in --port 7070")
}

async fn listen_from(first: u16) -> anyhow::Result<Vec<(Part, TcpListener)>> {
    let mut listeners = Vec::with_capacity(Part::ALL.len());
    for part in Part::ALL {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, first + part as u16));
        let listener =
            TcpListener::bind(address).await.with_context(|| format!("{part} can't listen on {address}"))?;
        listeners.push((part, listener));
    }
    Ok(listeners)
}

/// What `/readyz` says.
#[derive(Deserialize)]
struct Ready {
    /// What a part can do without, and lacks now.
    #[serde(default)]
    degraded: Vec<String>,
}

/// Waits until each of these parts says that it is ready, and lacks nothing.
async fn all_ready(places: &Places, parts: &[Part]) -> anyhow::Result<()> {
    let client = Client::new()?;
    for part in parts {
        let url = format!("{}/readyz", places.of(*part));
        loop {
            match client.get::<Ready>(&url).await {
                Ok(ready) if ready.degraded.is_empty() => break,
                Err(error) if !error.is_passing() => bail!(error),
                Ok(_) | Err(_) => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    }
    Ok(())
}
