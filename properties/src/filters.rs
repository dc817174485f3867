//! Subscription filters: read as written, and evaluated as the dialect has it.

use std::{collections::BTreeSet, sync::Arc};

use broker::{api::bodies::SubscriptionToSet, filter};
use broker_core::filter::{Attributes, Filter};
use serde_json::{Value, json, value::RawValue};
use serve::extract::parse_json;

use crate::{members::Members, request::Request};

/// A filter in the first line, and in the rest an event to try it on.
pub fn filters(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (filter, event) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(json) = serde_json::from_str::<Value>(filter) else { return };
    match filter::read(&json, "filter") {
        Err(error) => assert!(error.field.starts_with("filter") && !error.detail.is_empty(), "{error:?}"),
        Ok(read) => {
            written_as_read(&read, &json);
            read_in_its_place(filter, &read);
            evaluated(&read, &json, &Attributes::new());
            if let Some(attributes) = attributes(event) {
                evaluated(&read, &json, &attributes);
            }
        }
    }
}

/// What the store keeps and answers show is the same filter.
fn written_as_read(read: &Filter, json: &Value) {
    let written = filter::write(read);
    assert_eq!(written, *json);
    let stored: Value = serde_json::from_str(&written.to_string()).expect("it was JSON");
    assert_eq!(filter::read(&stored, "filter").as_ref(), Ok(read));
}

/// A body that sets it is taken, unless it says something twice, and then means the same.
fn read_in_its_place(text: &str, read: &Filter) {
    let body = format!("{{\"filter\":{text}}}");
    match parse_json::<SubscriptionToSet>(body.as_bytes()).and_then(|body| body.patch()) {
        Ok(patch) => {
            assert_eq!(patch.filter, Some(Some(read.clone())), "{body}");
            assert!(!says_twice(text), "{body}");
        }
        Err(problem) => {
            let error = problem.errors().first().unwrap_or_else(|| panic!("{body}: {problem:?}"));
            assert!(error.field.starts_with("filter.") && says_twice(text), "{body}: {problem:?}");
        }
    }
}

/// Whether an object anywhere in it has two members of a name.
fn says_twice(json: &str) -> bool {
    let inner: Vec<Box<RawValue>> = match Members::of(json) {
        Some(members) => {
            let names: BTreeSet<&str> = members.names().collect();
            if names.len() < members.0.len() {
                return true;
            }
            members.0.into_iter().map(|(_, value)| value).collect()
        }
        None => serde_json::from_str(json).unwrap_or_default(),
    };
    inner.iter().any(|value| says_twice(value.get()))
}

/// The attributes of an event as filters see them.
fn attributes(event: &str) -> Option<Attributes> {
    let request = Request::of("application/cloudevents+json", event.as_bytes().to_vec());
    let (mut publish, _) = request.published(usize::MAX).ok()?;
    publish.messages.pop().map(|message| message.attributes)
}

fn evaluated(read: &Filter, json: &Value, attributes: &Attributes) {
    let verdict = read.matches(attributes);
    assert_eq!(verdict, passes(json, attributes), "{json} on {attributes:?}");
    let not = Filter::Not(Arc::new(read.clone()));
    assert_eq!(not.matches(attributes), !verdict, "{json} on {attributes:?}");
    assert_eq!(Filter::Not(Arc::new(not)).matches(attributes), verdict, "{json} on {attributes:?}");
    for combined in [Filter::All([read.clone()].into()), Filter::Any([read.clone()].into())] {
        assert_eq!(combined.matches(attributes), verdict, "{json} on {attributes:?}");
    }
}

/// What the specification says, read off the JSON itself.
fn passes(filter: &Value, attributes: &Attributes) -> bool {
    let value_of = |name: &str| attributes.iter().find(|(other, _)| *other == name).map(|(_, value)| value);
    let each = |word: &str, fits: fn(&str, &str) -> bool| {
        let terms = filter[word].as_object();
        terms.is_some_and(|terms| {
            let fits = |(name, wanted): (&String, &Value)| Some(fits(value_of(name)?, wanted.as_str()?));
            terms.iter().all(|term| fits(term) == Some(true))
        })
    };
    let listed = |word: &str| filter[word].as_array();
    each("exact", |value, wanted| value == wanted)
        || each("prefix", |value, wanted| {
            value.len() >= wanted.len() && value.as_bytes()[..wanted.len()] == *wanted.as_bytes()
        })
        || each("suffix", |value, wanted| {
            value.len() >= wanted.len()
                && value.as_bytes()[value.len() - wanted.len()..] == *wanted.as_bytes()
        })
        || listed("all").is_some_and(|all| all.iter().all(|filter| passes(filter, attributes)))
        || listed("any").is_some_and(|any| any.iter().any(|filter| passes(filter, attributes)))
        || (filter["not"] != json!(null) && !passes(&filter["not"], attributes))
}
