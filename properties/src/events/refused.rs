//! What is refused is so for a reason that can be found in the request.

use serve::problem::{BODY_TOO_LARGE, INVALID_FIELD, MALFORMED_JSON, Problem};

use crate::{
    members::Members,
    request::{LIMIT, Request},
};

const REQUIRED: [&str; 4] = ["specversion", "id", "source", "type"];

pub(super) fn hold(problem: &Problem, request: &Request) {
    match problem.slug() {
        slug if *slug == MALFORMED_JSON => {
            assert!(!is_json(&request.body), "{request:?} is JSON: {problem:?}");
        }
        slug if *slug == BODY_TOO_LARGE => assert!(request.body.len() > LIMIT, "{request:?}"),
        slug if *slug == INVALID_FIELD => {
            let error = problem.errors().first().expect("what is invalid names a field");
            assert!(!error.detail.is_empty());
            assert!(is_in(request, &error.field), "{:?} is not in {request:?}", error.field);
        }
        slug => panic!("{slug:?}: {request:?}"),
    }
}

fn is_json(body: &[u8]) -> bool {
    std::str::from_utf8(body).is_ok() && serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

/// Whether that field stands in the request, or is one that it should have.
fn is_in(request: &Request, field: &str) -> bool {
    let text = String::from_utf8_lossy(&request.body);
    match field.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((place, member)) => {
            let events: Vec<Box<serde_json::value::RawValue>> =
                serde_json::from_str(&text).unwrap_or_default();
            let event = place.parse::<usize>().ok().and_then(|place| events.get(place));
            event.is_some_and(|event| {
                member.is_empty() || member.strip_prefix('.').is_some_and(|name| is_member(event.get(), name))
            })
        }
        None => field == "body" || request.headers.contains_key(field) || is_member(&text, field),
    }
}

fn is_member(event: &str, name: &str) -> bool {
    let given = Members::of(event).is_some_and(|members| members.names().any(|other| other == name));
    !name.is_empty() && (given || REQUIRED.contains(&name))
}
