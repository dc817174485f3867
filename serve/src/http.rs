//! Serving a router on a listener, within limits, until it is told to stop.

mod admission;
mod arriving;
mod connection;
mod door;
mod idle;
mod leaving;
mod unwritten;

use std::{io, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    middleware::Next,
    response::IntoResponse as _,
};
use tokio::task::JoinSet;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use self::admission::InFlight;
pub(crate) use self::arriving::Unread;
use self::{
    admission::{ALWAYS, PAUSE},
    connection::Connections,
    door::{Door, pass},
};
use crate::{
    metrics,
    problem::{NOT_READY, Problem},
    tls::Tls,
};

/// The limits of a server.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many connections are open at a time; further ones wait in the backlog.
    pub connections: usize,
    /// How long a connection may do nothing; also how long the head of a request may take to arrive.
    pub idle_time: Duration,
    /// How large the head of a request may be, path and headers, in bytes.
    pub header_bytes: usize,
    /// How many headers a request may have.
    pub headers: usize,
    /// How long the body of a request may take to arrive.
    pub body_time: Duration,
    /// How large a body may be, in bytes.
    pub body: usize,
    /// How long a request may take in all; longer than the longest long poll.
    pub request_time: Duration,
    /// How long a client may take none of an answer while there is some; over HTTP/2 none of it is taken
    /// until a slice of 16 KiB, or its end, is.
    pub write_time: Duration,
    /// How many requests are worked on at a time, those that only wait not counted.
    pub requests: usize,
    /// How many bytes of requests' bodies are held at a time.
    pub request_memory: usize,
    /// How many bytes of large answers to what only reads are held at a time.
    pub answer_memory: usize,
    /// How long open requests may go on after the signal to stop.
    pub drain_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            idle_time: Duration::from_secs(75),
            header_bytes: 32 << 10,
            headers: 100,
            body_time: Duration::from_secs(30),
            body: 1 << 20,
            request_time: Duration::from_secs(90),
            write_time: Duration::from_secs(30),
            requests: 1024,
            request_memory: 256 << 20,
            answer_memory: 256 << 20,
            drain_time: Duration::from_secs(10),
        }
    }
}

/// Serves until `shutdown`, then lets open requests end within the drain time.
///
/// # Errors
/// Never at present; a connection's faults are its own.
pub async fn run(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    shutdown: CancellationToken,
) -> io::Result<()> {
    run_over(listener, router, limits, None, shutdown).await
}

/// The same over TLS, where it is given.
///
/// # Errors
/// As [`run`].
pub async fn run_over(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    tls: Option<Tls>,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let slots = Arc::new(Semaphore::new(limits.connections));
    let reloading = tls.clone().map(|tls| tokio::spawn(tls.reload_on_change(shutdown.clone())));
    let keeping_up = tokio::spawn(metrics::keep_up(shutdown.clone()));
    let door = axum::middleware::from_fn_with_state(Door::new(limits), pass);
    let router = router.layer((door, DefaultBodyLimit::max(limits.body)));
    let late = Connections::new(stopping(router.clone()), limits, tls.clone(), CancellationToken::new());
    let connections = Connections::new(router, limits, tls, shutdown.clone());
    let open = TaskTracker::new();
    while let Some((stream, slot)) = accept(&listener, &slots, &shutdown).await {
        let serving = connections.clone().serve(stream);
        open.spawn(async move {
            serving.await;
            drop(slot);
        });
    }
    open.close();
    tokio::select! {
        drained = tokio::time::timeout(limits.drain_time, open.wait()) => {
            if drained.is_err() {
                tracing::warn!("requests were still open when the drain time was over");
            }
        }
        () = turn_away(&listener, &slots, late) => {}
    }
    let _ = keeping_up.await;
    if let Some(reloading) = reloading {
        let _ = reloading.await;
    }
    Ok(())
}

/// Serves who comes while open requests end: they hear that the server is stopping, and not that there is none.
/// Whatever of it is open when this is dropped is cut off.
async fn turn_away(listener: &TcpListener, slots: &Arc<Semaphore>, connections: Connections) {
    let (never, mut late) = (CancellationToken::new(), JoinSet::new());
    while let Some((stream, slot)) = accept(listener, slots, &never).await {
        let serving = connections.clone().serve(stream);
        late.spawn(async move {
            serving.await;
            drop(slot);
        });
        while late.try_join_next().is_some() {}
    }
}

/// A router that is stopping: only those hear more of it who ask how it is.
fn stopping(router: Router) -> Router {
    let answer = async |request: Request, next: Next| {
        if ALWAYS.contains(&request.uri().path()) {
            return next.run(request).await;
        }
        Problem::new(&NOT_READY).detail("it is stopping").retry_after(PAUSE).into_response()
    };
    router.layer(axum::middleware::from_fn(answer))
}

/// The next connection with its slot, or `None` when it is time to stop.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
    shutdown: &CancellationToken,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    loop {
        let next = async {
            let slot = Arc::clone(slots).acquire_owned().await.expect("the semaphore is never closed");
            (listener.accept().await, slot)
        };
        let (accepted, slot) = tokio::select! {
            () = shutdown.cancelled() => return None,
            next = next => next,
        };
        match accepted {
            Ok((stream, _)) => return Some((stream, slot)),
            Err(error) => {
                // Out of file descriptors, most often: others must end before more can come.
                tracing::warn!(error = %error, "could not accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}
