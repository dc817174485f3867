//! Bodies that are too large, of clients that send all of one before they listen.

use std::{future::poll_fn, time::Duration};

use axum::{Router, body::Bytes, routing::post};
use h2::SendStream;
use http::Request;
use serve::extract::Body;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::server::{LONG, Server};

const MEBIBYTE: usize = 1 << 20;
/// More than is read of a body that there is no room for.
const BODY: usize = 5 * MEBIBYTE;

async fn started() -> Server {
    let router = Router::new().route("/", post(async |_: Body| "taken"));
    Server::start(router, |limits| limits.body = MEBIBYTE).await
}

#[tokio::test]
async fn over_http_1_it_hears_that_it_is_too_large_whether_it_said_so_or_not() {
    let server = started().await;
    let (length, chunk) = (format!("content-length: {BODY}\r\n\r\n"), format!("{BODY:x}\r\n"));
    let chunked = format!("transfer-encoding: chunked\r\n\r\n{chunk}");
    for (head, end) in [(length, ""), (chunked, "\r\n0\r\n\r\n")] {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        let head = format!("POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{head}");
        for part in [head.as_bytes(), &vec![b' '; BODY], end.as_bytes()] {
            stream.write_all(part).await.unwrap();
        }
        let mut answer = String::new();
        timeout(LONG, stream.read_to_string(&mut answer)).await.expect("it answers").unwrap();
        assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("body-too-large"), "{answer}");
    }
}

#[tokio::test]
async fn over_http_2_it_hears_that_it_is_too_large() {
    let server = started().await;
    let stream = TcpStream::connect(server.address()).await.unwrap();
    let (mut requests, connection) = h2::client::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = Request::post("http://server/").body(()).unwrap();
    let (answer, mut body) = requests.send_request(request, false).unwrap();
    timeout(LONG, send(&mut body, BODY)).await.expect("all of it is taken");
    assert_eq!(timeout(LONG, answer).await.expect("it answers").unwrap().status(), 413);
    connection.abort();
}

/// Sends so many bytes, as the server's windows allow.
async fn send(body: &mut SendStream<Bytes>, bytes: usize) {
    let mut left = bytes;
    while left > 0 {
        body.reserve_capacity(left);
        let now = poll_fn(|context| body.poll_capacity(context)).await.expect("it goes on").unwrap();
        left -= now;
        body.send_data(Bytes::from(vec![b' '; now]), left == 0).unwrap();
    }
}

#[tokio::test]
async fn one_that_never_ends_is_given_up_in_the_end() {
    let router = Router::new().route("/", post(async |_: Body| "taken"));
    let server = Server::start(router, |limits| {
        (limits.body, limits.body_time) = (MEBIBYTE, Duration::from_secs(1));
    })
    .await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let head = format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {BODY}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b' '; 2 * MEBIBYTE]).await.unwrap();
    let mut answer = [0; 12];
    timeout(LONG, stream.read_exact(&mut answer)).await.expect("it answers").unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}
