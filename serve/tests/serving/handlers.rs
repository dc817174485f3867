//! What a client hears, whatever a handler does.

use std::future::pending;

use axum::{Router, routing::get};

use super::server::{LONG, SOON, Server};

fn failing() -> Router {
    Router::new()
        .route("/panics", get(async || -> &'static str { panic!("as it was told to") }))
        .route("/hangs", get(async || -> &'static str { pending().await }))
        .route("/works", get(async || "fine"))
}

#[tokio::test]
async fn a_handler_that_panics_or_hangs_is_answered_for_and_leaves_its_place() {
    let server = Server::start(failing(), |limits| (limits.requests, limits.request_time) = (1, LONG)).await;
    for _ in 0..2 {
        assert_eq!(server.status("/panics").await, 500);
    }
    assert_eq!(server.status("/works").await, 200);
    let server = Server::start(failing(), |limits| (limits.requests, limits.request_time) = (1, SOON)).await;
    for _ in 0..2 {
        assert_eq!(server.status("/hangs").await, 408);
    }
    assert_eq!(server.status("/works").await, 200);
}
