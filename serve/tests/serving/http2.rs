//! What a connection of HTTP/2 may hold, and for how long.

use std::{future::pending, sync::Arc, time::Duration};

use axum::{Router, routing::get};
use http::Request;
use tokio::{net::TcpStream, sync::Semaphore, time::timeout};
use tokio_util::sync::CancellationToken;

use super::server::{Client, LONG, Server};

/// Longer than a connection needs on a busy machine until its first request is there.
const IDLE: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_request_that_waits_ends_when_its_client_is_gone_without_a_word() {
    let (begun, gone) = (Arc::new(Semaphore::new(0)), CancellationToken::new());
    let handler = {
        let (begun, gone) = (Arc::clone(&begun), gone.clone());
        async move || -> &'static str {
            let _guard = gone.drop_guard();
            begun.add_permits(1);
            pending().await
        }
    };
    let server = Server::start(Router::new().route("/wait", get(handler)), |limits| {
        (limits.idle_time, limits.write_time) = (IDLE, IDLE);
    })
    .await;
    let stream = TcpStream::connect(server.address()).await.unwrap();
    let (mut requests, mut connection) = h2::client::handshake(stream).await.unwrap();
    let request = Request::get("http://server/wait").body(()).unwrap();
    let _answer = requests.send_request(request, true).unwrap();
    let has_begun = async {
        tokio::select! {
            _ = &mut connection => panic!("it is served"),
            permit = begun.acquire() => permit.unwrap().forget(),
        }
    };
    timeout(LONG, has_begun).await.expect("it is worked on");
    // Nobody answers for the client from here on, but its socket stays open.
    timeout(LONG, gone.cancelled()).await.expect("it ends");
}

#[tokio::test]
async fn a_client_that_answers_for_itself_may_wait_for_longer_than_a_connection_is_idle() {
    let may_end = Arc::new(Semaphore::new(0));
    let handler = {
        let may_end = Arc::clone(&may_end);
        async move || may_end.acquire().await.unwrap().forget()
    };
    let server = Server::start(Router::new().route("/wait", get(handler)), |limits| {
        (limits.idle_time, limits.write_time) = (IDLE, 5 * IDLE);
    })
    .await;
    let mut client = Client::with_window(&server, 1000).await;
    let mut waiting = Box::pin(client.get("/wait"));
    assert!(timeout(3 * IDLE, &mut waiting).await.is_err(), "it waits");
    may_end.add_permits(1);
    assert_eq!(waiting.await.status(), 200);
}

#[tokio::test]
async fn so_many_requests_are_open_on_a_connection_and_no_more() {
    let server = Server::start(Router::new().route("/", get(async || "")), |_| ()).await;
    let mut client = Client::with_window(&server, 1000).await;
    client.get("/").await;
    assert_eq!(client.most_requests(), 64);
}
