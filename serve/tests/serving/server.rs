//! A server of one's own, and clients for it.

use std::time::Duration;

use axum::Router;
use h2::client::{Connection, SendRequest};
use http::{Request, Response};
use serve::http::{Limits, run};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Longer than anything here takes on a busy machine; reached only by a failure.
pub(crate) const LONG: Duration = Duration::from_secs(20);
pub(crate) const SOON: Duration = Duration::from_millis(200);

/// The window of all answers of a client together: more than any test sends.
const ALL_ANSWERS: u32 = 1 << 30;

/// A running server; it stops when this is dropped.
pub(crate) struct Server {
    address: String,
    _stop: DropGuard,
}

impl Server {
    pub(crate) async fn start(router: Router, configure: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = Limits::default();
        configure(&mut limits);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let stop = CancellationToken::new();
        tokio::spawn(run(listener, router, limits, stop.clone()));
        Self { address, _stop: stop.drop_guard() }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The status of a GET.
    pub(crate) async fn status(&self, path: &str) -> u16 {
        timeout(LONG, reqwest::get(self.url(path))).await.expect("it answers").unwrap().status().as_u16()
    }

    /// Asks again until it is answered with that status.
    pub(crate) async fn until_status(&self, path: &str, status: u16) {
        let again = async {
            while self.status(path).await != status {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(LONG, again).await.unwrap_or_else(|_| panic!("{path} never answers {status}"));
    }
}

/// A client of HTTP/2 that takes just so much of each answer as it was told to.
pub(crate) struct Client {
    requests: SendRequest<axum::body::Bytes>,
    /// Ends when the connection does.
    connection: JoinHandle<Result<(), h2::Error>>,
}

impl Client {
    /// Opens a window of so many bytes for each answer.
    pub(crate) async fn with_window(server: &Server, bytes: u32) -> Self {
        let stream = TcpStream::connect(&server.address).await.unwrap();
        let mut builder = h2::client::Builder::new();
        builder.initial_window_size(bytes).initial_connection_window_size(ALL_ANSWERS);
        let (requests, connection): (_, Connection<_, _>) = builder.handshake(stream).await.unwrap();
        Self { requests, connection: tokio::spawn(connection) }
    }

    /// The answer to a GET once its head is there.
    pub(crate) async fn get(&mut self, path: &str) -> Response<h2::RecvStream> {
        let request = Request::get(format!("http://server{path}")).body(()).unwrap();
        let (answer, _) = self.requests.send_request(request, true).unwrap();
        timeout(LONG, answer).await.expect("its head comes").unwrap()
    }

    /// Takes just so many bytes of an answer.
    pub(crate) async fn take(answer: &mut Response<h2::RecvStream>, bytes: usize) {
        let mut taken = 0;
        while taken < bytes {
            let data = timeout(LONG, answer.body_mut().data()).await.expect("it comes");
            taken += data.expect("it is not at its end").expect("it is not cut").len();
        }
        assert_eq!(taken, bytes);
    }

    /// How many requests the server lets it have at a time.
    pub(crate) fn most_requests(&self) -> usize {
        self.requests.current_max_send_streams()
    }

    /// Waits until the server has ended the connection.
    pub(crate) async fn until_closed(self) {
        let _ = timeout(LONG, self.connection).await.expect("the server ends the connection").unwrap();
    }
}
