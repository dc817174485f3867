//! Serving a router on a listener, within limits, until it is told to stop.

use std::{convert::Infallible, io, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::DefaultBodyLimit, response::IntoResponse};
use http::Request;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;

use crate::problem::{INTERNAL, Problem, REQUEST_TIMEOUT};

/// The limits of a server.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many connections are open at a time; further ones wait in the backlog.
    pub connections: usize,
    /// How long the head of a request may take to arrive, which also ends idle connections.
    pub header_time: Duration,
    /// How long a request may take in all; longer than the longest long poll.
    pub request_time: Duration,
    /// How large a body may be, in bytes.
    pub body: usize,
    /// How long open requests may go on after the signal to stop.
    pub drain_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            header_time: Duration::from_secs(75),
            request_time: Duration::from_secs(90),
            body: 1 << 20,
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
    let service = with_limits(router, limits)
        .map_request(|request: Request<hyper::body::Incoming>| request.map(Body::new));
    let service = TowerToHyperService::new(service);
    let slots = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    let builder = connection_builder(limits);
    while let Some((stream, slot)) = accept(&listener, &slots, &shutdown).await {
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service.clone());
        let connection = graceful.watch(connection.into_owned());
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = %error, "connection_ended");
            }
            drop(slot);
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.drain_time, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still open when the drain time was over");
    }
    Ok(())
}

fn connection_builder(limits: Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.header_time).pipeline_flush(true);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(256);
    builder
}

/// The next connection with its slot, or `None` when it is time to stop.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
    shutdown: &CancellationToken,
) -> Option<(tokio::net::TcpStream, tokio::sync::OwnedSemaphorePermit)> {
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
            Ok((stream, _)) => {
                let _ = stream.set_nodelay(true);
                return Some((stream, slot));
            }
            Err(error) => {
                // Out of file descriptors, most often: others must end before more can come.
                tracing::warn!(error = %error, "could not accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

fn with_limits(router: Router, limits: Limits) -> Router {
    let timed = move |request: Request<Body>, next: axum::middleware::Next| async move {
        match tokio::time::timeout(limits.request_time, next.run(request)).await {
            Ok(response) => response,
            Err(_) => Problem::new(&REQUEST_TIMEOUT).into_response(),
        }
    };
    router
        .layer(axum::middleware::from_fn(timed))
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| {
            tracing::error!("a request handler panicked");
            Problem::new(&INTERNAL).into_response()
        }))
        .layer(DefaultBodyLimit::max(limits.body))
        .layer(axum::middleware::from_fn(count_request))
}

/// Counts requests and times them by route, never by raw path.
async fn count_request(
    request: Request<Body>,
    next: axum::middleware::Next,
) -> Result<axum::response::Response, Infallible> {
    let started = std::time::Instant::now();
    let route = request.extensions().get::<axum::extract::MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = route.map_or_else(|| "unknown".to_owned(), |route| route.as_str().to_owned());
    let status = response.status().as_u16().to_string();
    metrics::histogram!("http_request_duration_seconds", "route" => route, "status" => status)
        .record(started.elapsed().as_secs_f64());
    Ok(response)
}
