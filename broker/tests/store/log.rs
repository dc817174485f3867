//! The files: the write-ahead log is bounded while the broker works, and empty after a stop; what is gone
//! gives its room back.

use std::path::Path;

use broker_core::command::NewMessage;
use bytes::Bytes;

use crate::running::{Running, message, publish};

fn bytes(folder: &Path, file: &str) -> u64 {
    std::fs::metadata(folder.join(file)).map_or(0, |file| file.len())
}

#[tokio::test]
async fn the_files_do_not_grow_while_messages_come_and_go() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    running.queue("q").await;
    let body = Bytes::from(vec![b'x'; 64 << 10]);
    let mut written = 0;
    for number in 0..200_u64 {
        let messages: Vec<_> =
            (0..16).map(|part| NewMessage { record: body.clone(), ..message(number * 16 + part) }).collect();
        written += 16 * body.len() as u64;
        publish(running.broker.clone(), "q", messages).await.unwrap();
        let handout = running.receive("q", 16).await;
        for delivery in &handout.deliveries {
            running.ack("q", delivery.delivered.receipt.unwrap()).await;
        }
    }
    let (log, database) = (bytes(folder.path(), "broker.sqlite-wal"), bytes(folder.path(), "broker.sqlite"));
    assert!(log < written / 3, "{log} bytes of log after {written} bytes of messages");
    assert!(database < written / 10, "{database} bytes of database after {written} bytes of messages");
    running.stop().await;
    assert_eq!(bytes(folder.path(), "broker.sqlite-wal"), 0);
}
