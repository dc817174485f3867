//! What is refused is so for a reason that can be found in the body.

use serde_json::value::RawValue;
use serve::problem::{INVALID_FIELD, MALFORMED_JSON, Problem};

use crate::members::Members;

/// `needed` are the fields that may be missing.
pub(super) fn hold(problem: &Problem, body: &[u8], needed: &[&str]) {
    let is_json =
        std::str::from_utf8(body).is_ok() && serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
    let shown = String::from_utf8_lossy(body);
    match problem.slug() {
        slug if *slug == MALFORMED_JSON => assert!(!is_json, "{shown} is JSON: {problem:?}"),
        slug if *slug == INVALID_FIELD => {
            assert!(is_json || body.trim_ascii().is_empty(), "{shown} is not JSON: {problem:?}");
            let error = problem.errors().first().expect("what is invalid names a field");
            assert!(!error.detail.is_empty(), "{problem:?}");
            let found = if error.detail.starts_with("unknown field") && error.field != "body" {
                leads_to_a_member(&shown, &error.field)
            } else {
                is_in(&shown, &error.field, needed)
            };
            assert!(found, "{:?} is not in {shown}", error.field);
        }
        slug => panic!("{slug:?}: {shown}"),
    }
}

/// Whether a field's path begins with a member of the body, or with one that it should have.
fn is_in(body: &str, field: &str, needed: &[&str]) -> bool {
    let begins = |name: &str| {
        let rest = field.strip_prefix(name);
        !name.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    field == "body"
        || members_of(body).is_none_or(|members| members.names().any(begins))
        || needed.iter().any(|name| begins(name))
}

/// Whether a path such as `lines[0].price` leads to a member that is there, or to the object that holds one
/// without a name.
fn leads_to_a_member(json: &str, path: &str) -> bool {
    let through = |value: &str, rest: &str| match rest.as_bytes().first() {
        None => true,
        Some(b'.') => leads_to_a_member(value, &rest[1..]),
        Some(b'[') => {
            let values: Vec<Box<RawValue>> = serde_json::from_str(value).unwrap_or_default();
            let place = rest[1..]
                .split_once(']')
                .and_then(|(place, rest)| Some((place.parse::<usize>().ok()?, rest)));
            place.is_some_and(|(place, rest)| match (values.get(place), rest.strip_prefix('.')) {
                (Some(value), Some(rest)) => leads_to_a_member(value.get(), rest),
                (value, _) => value.is_some() && rest.is_empty(),
            })
        }
        Some(_) => false,
    };
    let Some(Members(members)) = members_of(json) else { return true };
    members
        .iter()
        .any(|(name, value)| path.strip_prefix(&**name).is_some_and(|rest| through(value.get(), rest)))
}

/// The members of an object, none of anything else; `None` where a name is no text (half a surrogate pair).
fn members_of(json: &str) -> Option<Members> {
    if json.trim_start().starts_with('{') { Members::of(json) } else { Some(Members(Vec::new())) }
}
