//! A batch: each of its events is what it would be alone, and it is refused where one of them would be.

use axum::http::{HeaderValue, header::CONTENT_TYPE};
use broker_core::command::NewMessage;
use serde_json::value::RawValue;

use super::structured::as_received;
use crate::request::{LIMIT, Request};

fn events(request: &Request) -> Vec<Box<RawValue>> {
    std::str::from_utf8(&request.body)
        .ok()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}

/// The same request with one event for its body.
fn alone(request: &Request, event: &RawValue) -> Request {
    let mut headers = request.headers.clone();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/cloudevents+json"));
    Request { headers, body: event.get().as_bytes().to_vec().into() }
}

pub(super) fn hold(request: &Request, messages: &[NewMessage]) {
    let events = events(request);
    assert_eq!(events.len(), messages.len());
    for (event, message) in events.iter().zip(messages) {
        as_received(event.get(), message);
        let (mut publish, _) = alone(request, event).published(LIMIT).expect("alone it is taken too");
        let same = publish.messages.pop().expect("it is one event");
        assert_eq!(same.record, message.record);
        assert_eq!(
            (same.identity, same.fingerprint, same.size),
            (message.identity, message.fingerprint, message.size)
        );
        assert_eq!(
            (same.available, same.expires, same.deduplicate),
            (message.available, message.expires, true)
        );
    }
}

/// A batch is refused where one of its events would be, and its fault is the first of them.
pub(super) fn refused_like_its_events(request: &Request) {
    let events = events(request);
    if events.is_empty() || request.headers.contains_key("idempotency-key") {
        return;
    }
    let whole = request.published(LIMIT);
    let faults: Vec<_> = events.iter().map(|event| alone(request, event).published(LIMIT).err()).collect();
    assert_eq!(whole.is_err(), faults.iter().any(Option::is_some), "{request:?}");
    let Some(field) =
        whole.err().and_then(|problem| problem.errors().first().map(|error| error.field.clone()))
    else {
        return;
    };
    if let Some(place) = field.strip_prefix('[') {
        let place = place.split(']').next().and_then(|place| place.parse::<usize>().ok());
        let first = faults.iter().position(Option::is_some);
        assert_eq!(place, first, "{field} of {request:?}");
    }
}
