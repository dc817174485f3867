//! By SMTP, against a server that is really spoken to: at least once, always under the same Message-ID,
//! and failures told apart by the server's code.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use email_service::{config::Config, store::Listing};
use messaging::{consumer::Handler, failure::Failure};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use crate::parts::{config, handlers, order, placed};

/// A server that answers each message with the next code of its script, and keeps what it was sent.
struct Server {
    url: String,
    received: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(script: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&received);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, script, Arc::clone(&kept)));
            }
        });
        Self { url, received }
    }

    fn received(&self) -> Vec<String> {
        self.received.lock().unwrap().clone()
    }
}

/// One connection, by RFC 5321 as far as a client of ours goes.
async fn serve(stream: TcpStream, script: &[&str], received: Arc<Mutex<Vec<String>>>) -> Option<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 test\r\n").await.ok()?;
    while let Some(line) = lines.next_line().await.ok()? {
        let verb = line.split(' ').next().unwrap_or_default().to_uppercase();
        match verb.as_str() {
            "DATA" => {
                write.write_all(b"354 go on\r\n").await.ok()?;
                let mut message = String::new();
                while let Some(line) = lines.next_line().await.ok()?.filter(|line| line != ".") {
                    message += &line;
                    message += "\n";
                }
                let answer = {
                    let mut received = received.lock().unwrap();
                    received.push(message);
                    *script.get(received.len() - 1).unwrap_or(&"250 taken")
                };
                write.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
            }
            "QUIT" => {
                write.write_all(b"221 bye\r\n").await.ok()?;
                return Some(());
            }
            _ => write.write_all(b"250 fine\r\n").await.ok()?,
        }
    }
    Some(())
}

fn by_smtp(data: &std::path::Path, url: &str) -> Config {
    Config { smtp_url: Some(url.to_owned()), ..config(data) }
}

fn message_id(message: &str) -> &str {
    message.lines().find(|line| line.starts_with("Message-ID:")).unwrap()
}

async fn sent(handlers: &email_service::handlers::Handlers) -> usize {
    handlers.store.list(Listing { order: None, after: 0, limit: 10 }).await.unwrap().len()
}

#[tokio::test]
async fn the_server_gets_the_message_once_and_the_mail_is_recorded() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start(&[]).await);
    let (handlers, order) = (handlers(&by_smtp(folder.path(), &server.url)).await, order());
    let event = placed(&order);
    handlers.handle(&event).await.unwrap();
    handlers.handle(&event).await.unwrap();
    let received = server.received();
    assert_eq!(received.len(), 1);
    assert!(message_id(&received[0]).contains(&format!("<{}.order-received@", order.order_id)));
    assert!(received[0].contains("To: Ada <ada@example.com>"), "{}", received[0]);
    assert_eq!(sent(&handlers).await, 1);
    assert!(!folder.path().join("mail").exists());
}

#[tokio::test]
async fn a_server_that_can_not_take_it_now_is_tried_again_under_the_same_message_id() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start(&["451 later"]).await);
    let (handlers, event) = (handlers(&by_smtp(folder.path(), &server.url)).await, placed(&order()));
    let failure = handlers.handle(&event).await.unwrap_err();
    assert!(matches!(failure, Failure::Transient(_)), "{failure:?}");
    assert!(failure.reason().contains("later"), "{}", failure.reason());
    assert_eq!(sent(&handlers).await, 0);
    handlers.handle(&event).await.unwrap();
    let received = server.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0], received[1]);
}

#[tokio::test]
async fn a_message_that_the_server_refuses_fails_for_good_and_is_not_recorded() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start(&["550 never"]).await);
    let handlers = handlers(&by_smtp(folder.path(), &server.url)).await;
    let failure = handlers.handle(&placed(&order())).await.unwrap_err();
    assert!(matches!(failure, Failure::Permanent(_)), "{failure:?}");
    assert!(failure.reason().contains("never"), "{}", failure.reason());
    assert_eq!(sent(&handlers).await, 0);
}

#[tokio::test]
async fn a_server_that_is_away_may_come_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    drop(listener);
    let folder = tempfile::tempdir().unwrap();
    let handlers = handlers(&by_smtp(folder.path(), &url)).await;
    let failure = handlers.handle(&placed(&order())).await.unwrap_err();
    assert!(matches!(failure, Failure::Transient(_)), "{failure:?}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_and_may_say_something_later() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    // It accepts, and never answers.
    let silent = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let config = Config { smtp_timeout: Duration::from_millis(300), ..by_smtp(folder.path(), &url) };
    let failure = handlers(&config).await.handle(&placed(&order())).await.unwrap_err();
    assert!(matches!(failure, Failure::Transient(_)), "{failure:?}");
    assert!(failure.reason().contains("300ms"), "{}", failure.reason());
    silent.abort();
}

#[tokio::test]
async fn a_url_that_is_none_of_smtp_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let config = by_smtp(folder.path(), "http://example.com");
    assert!(email_service::mailbox::Mailbox::open(&config).is_err());
}
