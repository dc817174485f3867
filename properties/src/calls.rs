//! Whole requests, through the router to a real engine: whatever comes, the answer is one that the contract has.

mod answer;
mod server;

use axum::{
    body::Body,
    http::{HeaderMap, Method, Request, Uri},
};
use server::Server;

use crate::request::{head, next_line};

/// How many requests of one input are sent.
const MOST: usize = 8;

/// Requests, one after another, with a line `===` between them:
///
/// ```text
/// PUT /queues/jobs
/// if-none-match: *
///
/// {"lease":"1m"}
/// ===
/// GET /queues/jobs
/// ```
pub fn calls(input: &[u8]) {
    let calls: Vec<Call> = split(input).filter_map(Call::read).take(MOST).collect();
    if calls.is_empty() {
        return;
    }
    server::with(|server| {
        for call in &calls {
            hold(server, call);
        }
        server.clear();
    });
}

fn split(input: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(input);
    std::iter::from_fn(move || {
        let now = rest?;
        let place = now.windows(5).position(|window| window == b"\n===\n");
        rest = place.map(|place| &now[place + 5..]);
        Some(place.map_or(now, |place| &now[..place]))
    })
}

fn hold(server: &Server, call: &Call) {
    let Some(answer) = server.ask(call) else {
        assert!(call.may_wait(), "no answer to {call:?}");
        return;
    };
    answer.hold(call);
}

/// One request.
#[derive(Debug)]
struct Call {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Call {
    /// Reads a request; `None` where no server would hand it on.
    fn read(text: &[u8]) -> Option<Self> {
        let (line, rest) = next_line(text);
        let space = line.iter().position(|byte| *byte == b' ')?;
        let method = Method::from_bytes(&line[..space]).ok().filter(|method| *method != Method::CONNECT)?;
        let uri = Uri::try_from(&line[space + 1..]).ok().filter(|uri| uri.path().starts_with('/'))?;
        let (headers, body) = head(rest);
        Some(Self { method, uri, headers, body: body.to_vec() })
    }

    fn request(&self) -> Request<Body> {
        let mut request = Request::new(Body::from(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        request.headers_mut().clone_from(&self.headers);
        request
    }

    /// Whether the answer may be long in coming.
    fn may_wait(&self) -> bool {
        self.uri.path().ends_with("/receive") || self.uri.path() == "/events"
    }
}
