//! Limits: of connections, of what one request may be and how long it may take, and of all together.

use std::time::Duration;

use broker::config::Config;
use bytes::Bytes;
use http::Request;
use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    task::JoinHandle,
    time::timeout,
};

use super::server::{Answer, Server, ids};

/// Longer than anything here takes on a busy machine; reached only by a failure.
const LONG: Duration = Duration::from_secs(20);
const SOON: Duration = Duration::from_millis(200);
const MEBIBYTE: usize = 1 << 20;

async fn started(configure: impl FnOnce(&mut Config)) -> Server {
    let server = Server::start_on("127.0.0.1:0", TempDir::new().unwrap(), configure).await;
    server.put_queue("jobs", json!({})).await;
    server
}

/// A connection of which each byte is in our hands.
struct Raw(TcpStream);

impl Raw {
    async fn to(server: &Server) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        // So that the system takes little of what is not read.
        socket.set_recv_buffer_size(16 << 10).unwrap();
        Self(socket.connect(server.address.parse().unwrap()).await.unwrap())
    }

    async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// All that comes until the broker closes the connection; it must do so by itself.
    async fn until_closed(&mut self) -> String {
        let mut bytes = Vec::new();
        // A reset is an end too.
        let _ = timeout(LONG, self.0.read_to_end(&mut bytes)).await.expect("it is closed in time");
        String::from_utf8(bytes).unwrap()
    }

    /// Some of an answer, at least its first byte.
    async fn some(&mut self) -> String {
        let mut bytes = vec![0; 4096];
        let length = timeout(LONG, self.0.read(&mut bytes)).await.expect("it answers in time").unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    }

    /// Begins a publish whose body never comes whole; back once some of it was taken in.
    async fn begin_to_publish(&mut self, body: usize, sent: usize) {
        self.send(&format!(
            "POST /queues/jobs/messages HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: {body}\r\n\r\n"
        ))
        .await;
        assert!(self.some().await.starts_with("HTTP/1.1 100"), "it begins to read the body");
        self.send(&"x".repeat(sent)).await;
    }
}

/// Sends a request again until it is answered with that status.
async fn until_status(server: &Server, method: Method, path: &str, body: &str, status: u16) -> Answer {
    let again = async {
        loop {
            let answer = Answer::of(server.request(method.clone(), path).body(body.to_owned())).await;
            if answer.status == status {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LONG, again).await.unwrap_or_else(|_| panic!("{method} {path} never answers {status}"))
}

fn assert_overloaded(answer: &Answer) {
    answer.problem(503, "overloaded");
    assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() > 0, "{answer:?}");
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_until_another_ends() {
    let server = Server::start_on("127.0.0.1:0", TempDir::new().unwrap(), |config| {
        config.http.connections = 1;
    })
    .await;
    let mut first = Raw::to(&server).await;
    first.send("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(first.some().await.starts_with("HTTP/1.1 200"));
    let mut second = Raw::to(&server).await;
    second.send("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(timeout(SOON, second.some()).await.is_err(), "the one place is taken");
    drop(first);
    assert!(second.some().await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn an_idle_connection_is_closed_whether_it_was_used_or_not() {
    let server = started(|config| config.http.idle_time = SOON).await;
    let mut used = Raw::to(&server).await;
    used.send("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(used.until_closed().await.starts_with("HTTP/1.1 200"));
    assert_eq!(Raw::to(&server).await.until_closed().await, "");
    let mut begun = Raw::to(&server).await;
    begun.send("GET /healthz HT").await;
    begun.until_closed().await;
}

#[tokio::test]
async fn a_connection_on_which_a_request_waits_is_not_idle() {
    let server = started(|config| config.http.idle_time = SOON).await;
    let deliveries = server.receive("jobs", json!({"wait": "1s"})).await;
    assert!(deliveries.is_empty());
}

#[tokio::test]
async fn a_head_over_the_limits_is_refused_by_what_is_too_much() {
    let server = started(|config| {
        config.http.header_bytes = 2000;
        config.http.headers = 20;
    })
    .await;
    let with = |headers: usize, bytes: usize| {
        let request = server.request(Method::GET, "/queues/jobs");
        let value = "x".repeat(bytes);
        (0..headers).fold(request, |request, number| request.header(format!("h-{number}"), &value))
    };
    assert_eq!(Answer::of(with(15, 100)).await.status, 200);
    let problem = Answer::of(with(1, 2100)).await.problem(431, "headers-too-large");
    assert!(problem["detail"].as_str().unwrap().contains("2000"), "{problem}");
    let problem = Answer::of(with(21, 1)).await.problem(431, "headers-too-large");
    assert!(problem["detail"].as_str().unwrap().contains("20"), "{problem}");
    let long_path = format!("/queues/jobs?{}", "x".repeat(2100));
    server.get(&long_path).await.problem(431, "headers-too-large");
    // Far beyond, it is not even looked at whole.
    let mut raw = Raw::to(&server).await;
    let headers: String = (0..50).map(|number| format!("h-{number}: x\r\n")).collect();
    raw.send(&format!("GET /queues/jobs HTTP/1.1\r\nhost: x\r\n{headers}\r\n")).await;
    let answer = raw.until_closed().await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn a_body_that_trickles_is_given_up() {
    let server = started(|config| config.http.body_time = SOON).await;
    let mut slow = Raw::to(&server).await;
    slow.begin_to_publish(1000, 10).await;
    let answer = slow.until_closed().await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("/problems/request-timeout") && answer.contains("200ms"), "{answer}");
    assert_eq!(server.counts("jobs").await["published"], 0);
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answer_is_cut_off() {
    let server = started(|config| {
        config.http.write_time = SOON;
        config.http.connections = 1;
        config.http.idle_time = SOON;
    })
    .await;
    for _ in 0..16 {
        server.publish("/queues/jobs", &[], &"x".repeat(MEBIBYTE)).await;
    }
    let mut deaf = Raw::to(&server).await;
    let body = r#"{"max":1000}"#;
    deaf.send(&format!(
        "POST /queues/jobs/receive HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    ))
    .await;
    // It has the one place now, and the place is free only once it is closed.
    assert!(deaf.some().await.starts_with("HTTP/1.1 200"));
    assert_eq!(timeout(LONG, server.counts("jobs")).await.unwrap()["published"], 16);
    assert!(deaf.until_closed().await.len() < 15 * MEBIBYTE, "it got all of it");
}

#[tokio::test]
async fn who_finds_no_place_hears_when_to_come_again_and_who_watches_over_it_is_answered() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_on("127.0.0.1:0", folder, |config| config.http.requests = 0).await;
    assert_overloaded(&server.get("/queues/jobs").await);
    assert_overloaded(&server.publish("/queues/jobs", &[], "x").await);
    // One that is still sending when it is refused hears it too.
    assert_overloaded(&server.publish("/queues/jobs", &[], &"x".repeat(MEBIBYTE)).await);
    for path in ["/healthz", "/readyz"] {
        assert_eq!(server.get(path).await.status, 200);
    }
}

#[tokio::test]
async fn a_request_whose_body_is_not_there_yet_takes_no_place_from_others() {
    let server = started(|config| config.http.requests = 1).await;
    let mut slow = Raw::to(&server).await;
    slow.begin_to_publish(10, 9).await;
    for _ in 0..10 {
        assert_eq!(server.publish("/queues/jobs", &[], "x").await.status, 201);
    }
    slow.send("x").await;
    assert!(slow.some().await.starts_with("HTTP/1.1 201"));
}

#[tokio::test]
async fn receives_that_wait_are_counted_apart_from_the_requests() {
    let server = started(|config| {
        config.http.requests = 1;
        config.api.waiting_receives = 1;
    })
    .await;
    let receive = "/queues/jobs/receive";
    let waiting = until_status(&server, Method::POST, receive, r#"{"wait":"60s"}"#, 200);
    let others = async {
        let answer = until_status(&server, Method::POST, receive, r#"{"wait":"1ms"}"#, 503).await;
        assert_overloaded(&answer);
        until_status(&server, Method::POST, receive, "{}", 200).await;
        until_status(&server, Method::POST, "/queues/jobs/messages", "x", 201).await;
    };
    let (answer, ()) = tokio::join!(waiting, others);
    assert_eq!(answer.json()["deliveries"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn bodies_take_no_more_memory_than_they_may() {
    let server = started(|config| config.http.request_memory = 100 << 10).await;
    assert_overloaded(&server.publish("/queues/jobs", &[], &"x".repeat(101 << 10)).await);
    for _ in 0..5 {
        assert_eq!(server.publish("/queues/jobs", &[], &"x".repeat(90 << 10)).await.status, 201);
    }
}

#[tokio::test]
async fn answers_that_nobody_reads_take_no_more_memory_than_they_may() {
    let server = started(|config| config.engine.answer_memory = 16 * MEBIBYTE).await;
    for _ in 0..20 {
        server.publish("/queues/jobs", &[], &"x".repeat(MEBIBYTE)).await;
    }
    let mut deaf = Raw::to(&server).await;
    let body = r#"{"max":1000,"max_bytes":"64MiB"}"#;
    deaf.send(&format!(
        "POST /queues/jobs/receive HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    ))
    .await;
    assert!(deaf.some().await.starts_with("HTTP/1.1 200"));
    let leased = server.counts("jobs").await["leased"].as_u64().unwrap();
    assert!((15..=16).contains(&leased), "{leased} MiB were handed out at once");
    // What one more message needs is left, or it is not: in the end it is not.
    let last = until_status(&server, Method::POST, "/queues/jobs/receive", "{}", 503);
    let small = server.publish("/queues/jobs", &[], "small");
    let (answer, published) = tokio::join!(last, small);
    assert_overloaded(&answer);
    assert_eq!(published.status, 201, "publishes go on");
    drop(deaf);
    until_status(&server, Method::POST, "/queues/jobs/receive", "{}", 200).await;
}

/// Receives over HTTP/2, and takes no more than so many bytes of the answer. The connection ends with the task.
async fn receive_and_take(server: &Server, window: u32) -> JoinHandle<Result<(), h2::Error>> {
    let stream = TcpStream::connect(&server.address).await.unwrap();
    let (mut requests, connection) =
        h2::client::Builder::new().initial_window_size(window).handshake::<_, Bytes>(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = Request::post("http://broker/queues/jobs/receive").body(()).unwrap();
    let (answer, mut body) = requests.send_request(request, false).unwrap();
    body.send_data(r#"{"max":1000}"#.into(), true).unwrap();
    let mut answer = timeout(LONG, answer).await.unwrap().unwrap();
    assert_eq!(answer.status(), 200);
    let mut taken = 0;
    while taken < window {
        let data = timeout(LONG, answer.body_mut().data()).await.unwrap().unwrap().unwrap();
        taken += u32::try_from(data.len()).unwrap();
    }
    tokio::spawn(async move {
        let _held = answer;
        connection.await.unwrap()
    })
}

/// One message of so many bytes is handed out and not taken whole: its memory is given back, but not before
/// the connection ends.
async fn hold_a_message(size: usize, window: u32) {
    let server = started(|config| {
        config.engine.answer_memory = 4 << 10;
        config.http.write_time = Duration::from_secs(2);
    })
    .await;
    for _ in 0..2 {
        server.publish("/queues/jobs", &[], &"x".repeat(size)).await;
    }
    let connection = receive_and_take(&server, window).await;
    assert_eq!(server.counts("jobs").await["leased"], 1, "there is memory for no more than one");
    assert_overloaded(&server.post("/queues/jobs/receive", json!({})).await);
    until_status(&server, Method::POST, "/queues/jobs/receive", "{}", 200).await;
    assert!(timeout(LONG, connection).await.is_ok(), "it ends the connection");
}

#[tokio::test]
async fn deliveries_that_nobody_takes_over_http2_give_their_memory_back_too() {
    tokio::join!(hold_a_message(8 << 10, 0), hold_a_message(8 << 10, 1), hold_a_message(60 << 10, 60 << 10));
}

#[tokio::test]
async fn there_are_so_many_queues_and_topics_and_no_more() {
    let server = started(|config| config.engine.queues = 2).await;
    assert_eq!(server.put("/topics/orders", json!({})).await.status, 201);
    for path in ["/queues/more", "/topics/more"] {
        let problem = server.put(path, json!({})).await.problem(409, "too-many-queues");
        assert_eq!(problem["limit"], 2);
    }
    assert_eq!(server.put("/queues/jobs", json!({"max_deliveries": 7})).await.status, 200);
    assert_eq!(server.delete("/topics/orders").await.status, 204);
    assert_eq!(server.put("/queues/more", json!({})).await.status, 201);
}

#[tokio::test]
async fn so_many_paced_redrives_run_at_a_time_and_no_more() {
    const REDRIVE: &str = "/queues/jobs/dead-letters/redrive";
    let server = started(|config| config.engine.redrives.running = 1).await;
    for id in ["1", "2", "3"] {
        server.dead_letter("jobs", id, "broken").await;
    }
    let slow = || json!({"per_second": 1});
    let task = server.post(REDRIVE, slow()).await.json()["task"].as_str().unwrap().to_owned();
    let refused = server.post(REDRIVE, slow()).await;
    assert_eq!(refused.problem(429, "too-many-redrives")["limit"], 1);
    assert_eq!(refused.header("retry-after"), Some("10"));
    assert_eq!(server.get("/problems/too-many-redrives").await.status, 200);
    assert_eq!(server.delete(&format!("/redrives/{task}")).await.status, 204);
    assert_eq!(server.post(REDRIVE, slow()).await.status, 202);
}

#[tokio::test]
async fn a_paced_redrive_of_more_dead_letters_than_may_be_listed_is_refused() {
    const REDRIVE: &str = "/queues/jobs/dead-letters/redrive";
    let server = started(|config| config.engine.redrives.dead_letters = 2).await;
    for id in ["1", "2", "3"] {
        server.dead_letter("jobs", id, "broken").await;
    }
    let refused = server.post(REDRIVE, json!({"per_second": 1})).await;
    assert_eq!(refused.problem(429, "too-many-redrives")["limit"], 2);
    assert_eq!(server.counts("jobs").await["dead"], 3);
    assert_eq!(server.post(REDRIVE, json!({"per_second": 1, "limit": 2})).await.status, 202);
}

#[tokio::test]
async fn where_the_disk_has_too_little_room_publishes_are_refused_and_the_rest_goes_on() {
    let mut server = started(|_| ()).await;
    server.publish_ids("jobs", &["1", "2"]).await;
    server.restart_with(|config| config.engine.free_space_floor = u64::MAX).await;
    let refused = server.publish("/queues/jobs", &[], "x").await.problem(507, "storage-full");
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains(&format!("{} bytes (--min-free-space)", u64::MAX)), "{detail}");
    assert_eq!(server.get("/readyz").await.status, 200);
    let deliveries = server.receive("jobs", json!({"max": 2})).await;
    assert_eq!(ids(&deliveries), ["1", "2"]);
    let acked = server.settle("jobs", "ack", json!({"receipts": [deliveries[0]["receipt"]]})).await;
    assert_eq!(acked, ["done"]);
    assert_eq!(server.counts("jobs").await["leased"], 1);
}

#[tokio::test]
async fn a_body_that_says_it_is_too_large_is_refused_without_being_sent() {
    let server = started(|_| ()).await;
    let mut asking = Raw::to(&server).await;
    let head = "POST /queues/jobs/messages HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n";
    asking.send(&format!("{head}content-length: {}\r\n\r\n", 99_u64 << 30)).await;
    let answer = asking.some().await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("body-too-large"), "{answer}");
}

#[tokio::test]
async fn while_open_requests_end_who_comes_hears_that_the_broker_is_stopping() {
    let mut server = started(|_| ()).await;
    let mut begun = Raw::to(&server).await;
    begun.begin_to_publish(4, 2).await;
    server.begin_to_stop();
    // On connections of their own: those that are idle were closed.
    let get = async |server: &Server, path: &str| {
        let mut late = Raw::to(server).await;
        late.send(&format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
        late.until_closed().await
    };
    let is_draining = async |server: &Server| get(server, "/readyz").await.contains("the broker is stopping");
    server.until("the broker to say that it is stopping", is_draining).await;
    assert!(get(&server, "/healthz").await.starts_with("HTTP/1.1 200"));
    assert!(get(&server, "/queues").await.starts_with("HTTP/1.1 503"));
    begun.send("xx").await;
    assert!(begun.until_closed().await.starts_with("HTTP/1.1 201"), "what was begun is carried out");
    server.stop().await;
}
