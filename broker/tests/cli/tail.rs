//! `broker tail`, against a small server that speaks the contract's `GET /events`, and a real broker.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use tokio::net::TcpListener;

use crate::broker::{Broker, Ended, PATIENCE, ended, lines, program};

/// What it is asked, and what it answers in turn; each answer ends the stream.
#[derive(Clone, Default)]
struct Script {
    asked: Arc<Mutex<Vec<String>>>,
    answers: Arc<Mutex<Vec<(StatusCode, &'static str)>>>,
}

async fn events(State(script): State<Script>, uri: Uri, headers: HeaderMap) -> Response {
    let last = headers.get("last-event-id").map_or("-", |value| value.to_str().unwrap());
    script.asked.lock().unwrap().push(format!("{} {last}", uri.query().unwrap_or_default()));
    let (status, text) = script.answers.lock().unwrap().remove(0);
    let kind = if status.is_success() { "text/event-stream" } else { "application/problem+json" };
    (status, [(header::CONTENT_TYPE, kind)], text).into_response()
}

/// Runs `broker tail` against a server that answers so; how it ended and what the server was asked.
async fn tail(answers: &[(u16, &'static str)], arguments: &[&str]) -> (Ended, Vec<String>) {
    let script = Script::default();
    let answers = answers.iter().map(|(status, text)| (StatusCode::from_u16(*status).unwrap(), *text));
    script.answers.lock().unwrap().extend(answers);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/events", get(events)).with_state(script.clone());
    let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let command = program(&[&["tail", "--url", &url], arguments].concat());
    let ended = tokio::task::spawn_blocking(move || ended(command)).await.unwrap();
    serving.abort();
    let asked = script.asked.lock().unwrap().clone();
    (ended, asked)
}

const FIRST: &str = "retry: 10\n: watching\n\n\
    id: 7-1\nevent: published\ndata: {\"at\":\"2026-11-24T04:15:00.123Z\",\"queue\":\"jobs\",\"id\":\"m1\"}\n\n\
    id: 7-2\nevent: nacked\ndata: {\"at\":\"2026-11-24T04:15:01.000Z\",\"queue\":\"jobs\",\"id\":\"m1\",\"reason\":\"no answer\"}\n\n\
    id: 7-3\n: nothing happened\n\n";
const SECOND: &str = "id: 7-4\nevent: left-out\ndata: {\"at\":\"2026-11-24T04:15:02.000Z\",\"count\":12}\n\n";
const BUSY: &str =
    r#"{"type":"/problems/not-ready","title":"Not ready to serve","status":503,"detail":"starting"}"#;
const UNKNOWN: &str =
    r#"{"type":"/problems/invalid-field","title":"A field is wrong","status":422,"detail":"kind: x"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_a_line_each() {
    let (told, _) = tail(&[(200, FIRST)], &["--count", "2"]).await;
    assert_eq!(
        told.ok(),
        "04:15:00.123  published      jobs  m1\n04:15:01.000  nacked         jobs  m1  (no answer)\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn json_has_what_the_stream_has_a_line_each() {
    let (told, _) = tail(&[(200, FIRST)], &["--count", "1", "--json"]).await;
    let data = r#"{"at":"2026-11-24T04:15:00.123Z","queue":"jobs","id":"m1"}"#;
    assert_eq!(told.ok(), format!("{{\"id\":\"7-1\",\"event\":\"published\",\"data\":{data}}}\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_break_it_goes_on_behind_the_last_id_that_it_saw() {
    let answers = [(200, FIRST), (503, BUSY), (200, SECOND)];
    let (told, asked) = tail(&answers, &["--count", "3"]).await;
    assert_eq!(asked, [" -", " 7-3", " 7-3"]);
    assert_eq!(told.stderr.matches("the stream broke off").count(), 1, "{told:?}");
    assert!(told.ok().ends_with("04:15:02.000  left-out       12 of them\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_and_kinds_are_asked_for() {
    let arguments = ["--queue", "a", "--queue", "b", "--kind", "nacked", "--count", "1"];
    let (_, asked) = tail(&[(200, FIRST)], &arguments).await;
    assert_eq!(asked, ["queue=a%2Cb&kind=nacked -"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_ends_it() {
    let (told, _) = tail(&[(422, UNKNOWN)], &["--kind", "x"]).await;
    told.failed(2, "(422 invalid-field)");
}

#[test]
fn a_broker_that_was_never_there_ends_it() {
    ended(program(&["tail", "--url", "http://127.0.0.1:1"])).failed(1, "can't be reached");
}

#[test]
fn it_shows_what_happens_in_a_real_broker() {
    let broker = Broker::with_queue("jobs");
    let mut tail = broker.command(&["tail", "--queue", "jobs", "--count", "1"]).spawn().unwrap();
    let lines = lines(tail.stdout.take().unwrap());
    let deadline = Instant::now() + PATIENCE;
    // Nobody says when the stream is open, so something happens until it shows.
    let line = loop {
        broker.ok(&["publish", "--queue", "jobs", "x"]);
        match lines.recv_timeout(Duration::from_millis(100)) {
            Ok(line) => break line,
            Err(error) => assert!(Instant::now() < deadline, "nothing is shown: {error}"),
        }
    };
    assert!(line.contains("  jobs  "), "{line}");
    assert!(tail.wait().unwrap().success());
}
