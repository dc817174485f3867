//! Answers over HTTP/2 that a client doesn't take: its socket stays writable, but it opens no window.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    routing::get,
};
use http::Response;
use http_body::Frame;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};

use super::server::{Client, LONG, SOON, Server};

const KIBIBYTE: usize = 1 << 10;
const MEBIBYTE: usize = 1 << 20;
/// What goes out at once over HTTP/2.
const SLICE: usize = 16 * KIBIBYTE;
/// Longer than a busy machine takes for what a test does between two looks at the time.
const A_WHILE: Duration = Duration::from_secs(2);
/// So long the client rests between two slices: far less than it may, but not for four of them.
const REST: Duration = Duration::from_millis(600);

/// Room for one large answer at a time.
async fn started(router: Router) -> Server {
    started_with(router, A_WHILE).await
}

async fn started_with(router: Router, write_time: Duration) -> Server {
    Server::start(router, |limits| (limits.write_time, limits.answer_memory) = (write_time, MEBIBYTE)).await
}

fn answers() -> Router {
    Router::new().route("/large", get(async || vec![0; MEBIBYTE])).route("/small", get(async || "small"))
}

#[tokio::test]
async fn a_large_answer_of_which_nothing_is_taken_ends_and_gives_back_what_it_held() {
    let server = started(answers()).await;
    let mut deaf = Client::with_window(&server, 0).await;
    let mut answer = deaf.get("/large").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(server.status("/large").await, 503, "there is room for one");
    server.until_status("/large", 200).await;
    let end = timeout(LONG, answer.body_mut().data()).await.expect("it ends");
    assert!(end.is_none_or(|data| data.is_err()), "none of it comes");
    deaf.until_closed().await;
}

#[tokio::test]
async fn a_large_answer_of_which_no_more_is_taken_ends_too() {
    let server = started(answers()).await;
    let mut deaf = Client::with_window(&server, 30_000).await;
    let mut answer = deaf.get("/large").await;
    let mut taken = 0;
    while let Some(Ok(data)) = timeout(LONG, answer.body_mut().data()).await.expect("it comes or ends") {
        taken += data.len();
    }
    assert_eq!(taken, 30_000);
    server.until_status("/large", 200).await;
}

#[tokio::test]
async fn an_answer_is_counted_until_its_last_byte_is_taken() {
    for size in [12 * KIBIBYTE, 60 * KIBIBYTE, MEBIBYTE] {
        for taken in [0, 1, size - 1] {
            let router = Router::new().route("/one", get(async move || vec![0; size]));
            let server = Server::start(router, |limits| limits.answer_memory = size).await;
            let mut client = Client::with_window(&server, taken.try_into().unwrap()).await;
            let mut answer = client.get("/one").await;
            assert_eq!(answer.status(), 200);
            Client::take(&mut answer, taken).await;
            for _ in 0..3 {
                assert_eq!(server.status("/one").await, 503, "{taken} of {size} bytes are taken");
            }
            drop(answer);
            server.until_status("/one", 200).await;
        }
    }
}

/// Takes a slice of an answer now and then, as many as are said.
async fn take_slowly(answer: &mut Response<h2::RecvStream>, slices: usize) {
    for _ in 0..slices {
        Client::take(answer, SLICE).await;
        assert!(timeout(REST, answer.body_mut().data()).await.is_err(), "it waits for a window");
        answer.body_mut().flow_control().release_capacity(SLICE).unwrap();
    }
}

#[tokio::test]
async fn an_answer_that_is_taken_slowly_but_steadily_comes_whole() {
    let server = started(Router::new().route("/", get(async || vec![0; 13 * SLICE]))).await;
    let mut slow = Client::with_window(&server, SLICE.try_into().unwrap()).await;
    let mut answer = slow.get("/").await;
    take_slowly(&mut answer, 12).await;
    Client::take(&mut answer, SLICE).await;
    assert!(answer.body().is_end_stream(), "it is whole");
}

#[tokio::test]
async fn the_other_answers_of_a_connection_come_whole_though_one_is_stuck() {
    let server = started(Router::new().route("/", get(async || vec![0; 11 * SLICE]))).await;
    let mut client = Client::with_window(&server, SLICE.try_into().unwrap()).await;
    let _stuck = client.get("/").await;
    let mut other = client.get("/").await;
    take_slowly(&mut other, 10).await;
    Client::take(&mut other, SLICE).await;
    assert!(other.body().is_end_stream(), "it is whole");
    client.until_closed().await;
}

#[tokio::test]
async fn a_stuck_answer_ends_its_connection_once_the_others_had_the_time_of_a_request() {
    let (_say, told) = mpsc::channel(1);
    let told = Arc::new(Mutex::new(Some(Told(told))));
    let talk = async move || Body::new(told.lock().unwrap().take().unwrap());
    let server = Server::start(answers().route("/talk", get(talk)), |limits| {
        (limits.write_time, limits.request_time) = (SOON, A_WHILE);
    })
    .await;
    let mut client = Client::with_window(&server, 0).await;
    let _silent = client.get("/talk").await;
    let began = Instant::now();
    let _stuck = client.get("/large").await;
    client.until_closed().await;
    assert!(began.elapsed() >= A_WHILE, "the other had {:?}", began.elapsed());
}

#[tokio::test]
async fn a_small_answer_of_which_not_all_is_taken_does_not_keep_its_connection() {
    let server = started_with(answers(), SOON).await;
    for window in [0, 1] {
        let mut deaf = Client::with_window(&server, window).await;
        let _answer = deaf.get("/small").await;
        deaf.until_closed().await;
    }
}

/// A body that says what it is told to.
struct Told(mpsc::Receiver<Bytes>);

impl http_body::Body for Told {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|said| said.map(|said| Ok(Frame::data(said))))
    }
}

#[tokio::test]
async fn an_answer_that_has_nothing_to_say_for_long_goes_on() {
    let (say, told) = mpsc::channel(1);
    let told = Arc::new(Mutex::new(Some(Told(told))));
    let talk = async move || Body::new(told.lock().unwrap().take().unwrap());
    let server = started_with(Router::new().route("/talk", get(talk)), SOON).await;
    let mut client = Client::with_window(&server, 1000).await;
    let mut answer = client.get("/talk").await;
    for _ in 0..3 {
        assert!(timeout(2 * SOON, answer.body_mut().data()).await.is_err(), "it is silent");
        say.send(Bytes::from_static(b"word")).await.unwrap();
        let heard = timeout(LONG, answer.body_mut().data()).await.expect("it speaks").unwrap().unwrap();
        assert_eq!(heard, "word");
    }
}
