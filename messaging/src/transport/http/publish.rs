//! Publishes in batches: one request is stored all or none. When it is refused for the fault of one
//! event, the others go without it.

use std::ops::Range;

use http::{HeaderName, HeaderValue, StatusCode};

use super::client::{Client, Problem, Unsuccessful};
use crate::{
    event::Event,
    transport::{Destination, PublishError, TransportError},
};

/// A request's events, about: the broker takes 16 MiB.
const MAX_REQUEST_BYTES: usize = 8 << 20;
/// A request's events at most.
const MAX_REQUEST_EVENTS: usize = 1000;
const BATCH: &str = "application/cloudevents-batch+json";
/// Makes what no queue takes an error, so that nothing is lost for want of a subscription.
const REQUIRE_ROUTE: (HeaderName, HeaderValue) =
    (HeaderName::from_static("require-route"), HeaderValue::from_static("true"));

type Published = Result<(), PublishError>;

/// Publishes in order, and answers in order. Ranges of events that wait to be sent are kept on a stack,
/// the next on top.
pub(super) async fn all(client: &Client, to: &Destination, events: &[Event]) -> Vec<Published> {
    let bodies: Vec<_> = events.iter().map(Event::to_json).collect();
    let mut results: Vec<Published> = vec![Ok(()); events.len()];
    let mut waiting = requests(bodies.iter().map(bytes::Bytes::len));
    waiting.reverse();
    while let Some(range) = waiting.pop() {
        let body = array(&bodies[range.clone()]);
        match request(client, to, body).await {
            Ok(()) => {}
            Err(NotSent::Unavailable(error)) => {
                for range in waiting.drain(..).chain([range]) {
                    results[range].fill(Err(PublishError::Unavailable(error.clone())));
                }
            }
            Err(NotSent::Refused { index, detail }) => match at_fault(&range, index) {
                Some(at) => {
                    results[at] = Err(PublishError::Refused(detail));
                    waiting
                        .extend([at + 1..range.end, range.start..at].into_iter().filter(|r| !r.is_empty()));
                }
                // It does not say which: halves tell.
                None => {
                    let middle = range.start + range.len() / 2;
                    waiting.extend([middle..range.end, range.start..middle]);
                }
            },
        }
    }
    results
}

/// Which event a refusal is about, as far as it says.
fn at_fault(range: &Range<usize>, index: Option<usize>) -> Option<usize> {
    match index {
        _ if range.len() == 1 => Some(range.start),
        Some(index) if index < range.len() => Some(range.start + index),
        _ => None,
    }
}

/// Cuts the events into requests of a size that the broker takes.
fn requests(sizes: impl Iterator<Item = usize>) -> Vec<Range<usize>> {
    let mut requests: Vec<Range<usize>> = Vec::new();
    let mut bytes = 0;
    for (at, size) in sizes.enumerate() {
        match requests.last_mut() {
            Some(last) if bytes + size <= MAX_REQUEST_BYTES && last.len() < MAX_REQUEST_EVENTS => {
                last.end = at + 1;
                bytes += size;
            }
            _ => {
                requests.push(at..at + 1);
                bytes = size;
            }
        }
    }
    requests
}

fn array(bodies: &[bytes::Bytes]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bodies.iter().map(|body| body.len() + 1).sum::<usize>() + 2);
    out.push(b'[');
    for (at, body) in bodies.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(body);
    }
    out.push(b']');
    out
}

enum NotSent {
    Refused { index: Option<usize>, detail: String },
    Unavailable(TransportError),
}

async fn request(client: &Client, to: &Destination, body: Vec<u8>) -> Result<(), NotSent> {
    let path = match to {
        Destination::Topic(name) => ["topics", name, "messages"],
        Destination::Queue(name) => ["queues", name, "messages"],
    };
    match client.post_bytes(&path, BATCH, REQUIRE_ROUTE, body).await {
        Ok(_) => Ok(()),
        Err(Unsuccessful::Answered { status, problem, .. }) if is_for_good(status, &problem) => {
            Err(NotSent::Refused { index: problem.index, detail: problem.text(status) })
        }
        Err(other) => Err(NotSent::Unavailable(other.into())),
    }
}

/// What no waiting mends: the event itself is at fault. Anything else is the moment's.
fn is_for_good(status: StatusCode, problem: &Problem) -> bool {
    matches!(
        status,
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY
    ) || (status == StatusCode::CONFLICT && problem.slug() == "id-reused")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_cut_where_the_broker_would_not_take_it() {
        assert_eq!(requests([1, 2, 3].into_iter()), std::slice::from_ref(&(0..3)));
        assert_eq!(requests([MAX_REQUEST_BYTES, 1, MAX_REQUEST_BYTES].into_iter()), [0..1, 1..2, 2..3]);
        assert_eq!(requests(std::iter::repeat_n(1, MAX_REQUEST_EVENTS + 1)).len(), 2);
        assert!(requests(std::iter::empty()).is_empty());
    }
}
