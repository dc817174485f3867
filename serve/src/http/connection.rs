//! One connection from its first byte to its end: encrypted or not, HTTP/1.1 or HTTP/2, within its times.

use std::{convert::Infallible, pin::pin, time::Duration};

use axum::{Router, body::Body};
use http::{Request, Response, Version};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{sleep, timeout},
};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::{
    Limits,
    idle::Doing,
    leaving::{Keeping, Leaving},
    unwritten::Unwritten,
};
use crate::tls::Tls;

/// How long a connection may take to agree on its keys, unless it may be idle even less.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a connection that was told to end may take to do so.
const FAREWELL: Duration = Duration::from_secs(5);
/// What a connection's buffer has beside the largest head.
const BUFFER: usize = 32 << 10;
/// How much of an answer goes out at once over HTTP/1.1; over HTTP/2 it is how much of one lies in h2's buffer.
const BUFFERED: usize = 64 << 10;
/// How much of an answer goes out at once over HTTP/2, a frame: all answers of a connection take turns, and a
/// client must have taken one of each within the time to write.
const FRAME: usize = 16 << 10;
/// How many requests are open on a connection of HTTP/2 at a time. Each may hold a head, and a small answer or
/// one to what changed something, that nobody counts; how often a client may reset them is limited by h2's
/// own defaults.
const STREAMS: u32 = 64;
/// How much of a body that no handler has read yet lies in HTTP/2's own buffers, where nobody counts it.
const STREAM_WINDOW: u32 = 256 << 10;
/// The same of all bodies of a connection: more, so that one that is never read leaves room for others.
const CONNECTION_WINDOW: u32 = 512 << 10;

/// What all connections of a server have in common.
#[derive(Clone)]
pub(super) struct Connections {
    router: Router,
    limits: Limits,
    tls: Option<Tls>,
    builder: auto::Builder<TokioExecutor>,
    stop: CancellationToken,
}

impl Connections {
    pub(super) fn new(router: Router, limits: Limits, tls: Option<Tls>, stop: CancellationToken) -> Self {
        Self { router, limits, tls, builder: builder(limits), stop }
    }

    /// Serves one connection until it ends. Its faults are its own.
    pub(super) async fn serve(self, stream: TcpStream) {
        // Without this each answer may wait for the acknowledgement of the one before.
        let _ = stream.set_nodelay(true);
        let mut stream = Box::pin(TimeoutStream::new(stream));
        stream.as_mut().set_write_timeout_pinned(Some(self.limits.write_time));
        let Some(tls) = &self.tls else { return self.speak_http(stream).await };
        let handshake = timeout(HANDSHAKE.min(self.limits.idle_time), tls.acceptor().accept(stream));
        let agreed = tokio::select! {
            agreed = handshake => agreed,
            () = self.stop.cancelled() => return,
        };
        match agreed {
            Ok(Ok(stream)) => self.speak_http(stream).await,
            Ok(Err(error)) => tracing::debug!(error = %error, "tls_handshake_failed"),
            Err(_) => tracing::debug!("tls_handshake_timed_out"),
        }
    }

    async fn speak_http(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let (doing, unwritten) = (Doing::nothing_yet(), Unwritten::default());
        let service = service_fn(|request| answer(self.router.clone(), request, &doing, &unwritten));
        let connection = self.builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                Some(connection.await)
            }
            () = doing.nothing_for(self.limits.idle_time) => {
                connection.as_mut().graceful_shutdown();
                timeout(FAREWELL, connection).await.ok()
            }
            () = unwritten.stuck_for(self.limits.write_time) => {
                tracing::debug!("answer_not_taken");
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    ended = connection => Some(ended),
                    () = self.others_end(&doing, &unwritten) => None,
                }
            }
        };
        if let Some(Err(error)) = ended {
            tracing::debug!(error = %error, "connection_ended");
        }
    }

    /// Waits until nothing is under way on a connection but answers that are stuck; the others have as long as
    /// a request may take.
    async fn others_end(&self, doing: &Doing, unwritten: &Unwritten) {
        let limit = self.limits.write_time;
        let others_end = async {
            loop {
                sleep(FAREWELL.min(limit)).await;
                if doing.how_much() <= unwritten.how_many_stuck(limit) {
                    return;
                }
            }
        };
        let _ = timeout(self.limits.request_time, others_end).await;
    }
}

fn answer(
    router: Router,
    request: Request<Incoming>,
    doing: &Doing,
    unwritten: &Unwritten,
) -> impl Future<Output = Result<Response<Body>, Infallible>> + use<> {
    let open = doing.begin();
    // Of HTTP/1.1 the socket tells.
    let unwritten = (request.version() == Version::HTTP_2).then(|| unwritten.clone());
    async move {
        let response = router.oneshot(request.map(Body::new)).await?;
        Ok(response.map(|body| {
            let body = Keeping::new(body, open);
            match unwritten {
                Some(unwritten) => Body::new(unwritten.watch(Leaving::new(body, FRAME))),
                None => Body::new(Leaving::new(body, BUFFERED)),
            }
        }))
    }
}

fn builder(limits: Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // Beyond twice our own limits it answers 431 by itself, without a problem.
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.idle_time)
        .max_headers(limits.headers.saturating_mul(2))
        .max_buf_size(limits.header_bytes.saturating_mul(2).saturating_add(BUFFER));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(limits.header_bytes.saturating_mul(2)).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(BUFFERED)
        // Whoever is gone is noticed although a wait or a watch has nothing to write to him for long.
        .keep_alive_interval(limits.idle_time)
        .keep_alive_timeout(limits.write_time);
    builder
}
