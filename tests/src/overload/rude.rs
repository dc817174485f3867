//! The clients that do not speak as they should. The broker may close their connections; they come again.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::clients::QUEUE;

/// A connection that hardly takes anything in.
async fn connect(address: &str) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(4096)?;
    let address = address.parse().map_err(std::io::Error::other)?;
    socket.connect(address).await
}

/// Asks for all messages that there are, and reads nothing of them.
pub(super) async fn never_read(over: CancellationToken, address: String) {
    let body = r#"{"max":1000,"lease":"1s"}"#;
    let head =
        format!("POST /queues/{QUEUE}/receive HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
    send_and_never_read(&over, &address, &format!("{head}{body}")).await;
}

/// Watches, and reads nothing of what it is told.
pub(super) async fn watch_without_reading(over: CancellationToken, address: String) {
    send_and_never_read(&over, &address, "GET /events HTTP/1.1\r\nhost: x\r\n\r\n").await;
}

/// Sends a request over and over on one connection until the broker has enough of it, and then on another.
async fn send_and_never_read(over: &CancellationToken, address: &str, request: &str) {
    while !over.is_cancelled() {
        let Ok(mut stream) = connect(address).await else { continue };
        for _ in 0..10 {
            let sent = timeout(Duration::from_millis(500), stream.write_all(request.as_bytes())).await;
            if over.is_cancelled() || !matches!(sent, Ok(Ok(()))) {
                break;
            }
            sleep(Duration::from_millis(500)).await;
        }
    }
}

/// Publishes at a byte each tenth of a second.
pub(super) async fn trickle(over: CancellationToken, address: String) {
    let head =
        format!("POST /queues/{QUEUE}/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n");
    while !over.is_cancelled() {
        let Ok(mut stream) = connect(&address).await else { continue };
        let mut sent = stream.write_all(head.as_bytes()).await;
        while sent.is_ok() && !over.is_cancelled() {
            let mut answer = [0; 512];
            if timeout(Duration::from_millis(100), stream.read(&mut answer)).await.is_ok() {
                break;
            }
            sent = stream.write_all(b"x").await;
        }
    }
}
