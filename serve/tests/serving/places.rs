//! The places among the requests that are worked on: who has one, and who can't go round them.

use std::sync::Arc;

use axum::{
    Router,
    routing::{any, post},
};
use reqwest::{Client, Method};
use serve::extract::Body;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::Semaphore,
    time::timeout,
};

use super::server::{LONG, Server};

/// What a handler tells when it begins, and waits for before it ends.
#[derive(Clone)]
struct Work {
    begun: Arc<Semaphore>,
    may_end: Arc<Semaphore>,
}

impl Work {
    /// A server with one place, whose `/work` reads no body and whose `/read` does nothing else.
    async fn started() -> (Self, Server) {
        let work = Self { begun: Arc::new(Semaphore::new(0)), may_end: Arc::new(Semaphore::new(0)) };
        let handler = {
            let work = work.clone();
            async move || {
                work.begun.add_permits(1);
                work.may_end.acquire().await.unwrap().forget();
            }
        };
        let router =
            Router::new().route("/work", any(handler)).route("/read", post(async |Body(body): Body| body));
        let server = Server::start(router, |limits| limits.requests = 1).await;
        (work, server)
    }
}

async fn status(server: &Server, method: Method, path: &str, body: &'static str) -> u16 {
    let request = Client::new().request(method, server.url(path)).body(body);
    timeout(LONG, request.send()).await.expect("it answers").unwrap().status().as_u16()
}

#[tokio::test]
async fn a_request_whose_body_its_handler_does_not_read_has_a_place_all_the_same() {
    for method in [Method::GET, Method::DELETE, Method::POST] {
        let (work, server) = Work::started().await;
        let others = async {
            work.begun.acquire().await.unwrap().forget();
            for body in ["", "unread"] {
                assert_eq!(status(&server, method.clone(), "/work", body).await, 503, "{method} {body}");
            }
            assert_eq!(status(&server, Method::POST, "/read", "x").await, 503);
            work.may_end.add_permits(1);
        };
        let first = status(&server, method.clone(), "/work", "unread");
        let (first, ()) = timeout(LONG, async { tokio::join!(first, others) }).await.expect("they end");
        assert_eq!(first, 200);
        assert_eq!(status(&server, Method::POST, "/read", "x").await, 200, "the place is free again");
    }
}

#[tokio::test]
async fn a_request_that_waits_for_its_body_leaves_its_place_to_others_and_needs_one_again() {
    let (work, server) = Work::started().await;
    let mut slow = TcpStream::connect(server.address()).await.unwrap();
    slow.write_all(b"POST /read HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n")
        .await
        .unwrap();
    let mut head = [0; 64];
    let length = timeout(LONG, slow.read(&mut head)).await.unwrap().unwrap();
    assert!(head[..length].starts_with(b"HTTP/1.1 100"), "it waits for its body");
    let other = status(&server, Method::GET, "/work", "");
    let end_of_the_slow_one = async {
        work.begun.acquire().await.unwrap().forget();
        slow.write_all(b"xx").await.unwrap();
        let length = timeout(LONG, slow.read(&mut head)).await.unwrap().unwrap();
        assert!(head[..length].starts_with(b"HTTP/1.1 503"), "the other has the place");
        work.may_end.add_permits(1);
    };
    let (other, ()) = timeout(LONG, async { tokio::join!(other, end_of_the_slow_one) }).await.unwrap();
    assert_eq!(other, 200);
}
