//! Structured mode: attributes and data stand in the record as they stood in the event.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use broker_core::command::{NewMessage, When};
use units::Timestamp;

use crate::{members::Members, request::Request};

pub(super) fn hold(request: &Request, message: &NewMessage) {
    let event = std::str::from_utf8(&request.body).expect("what is no text is refused");
    as_received(event, message);
}

/// Whether that message is what became of that event.
pub(super) fn as_received(event: &str, message: &NewMessage) {
    let given = Members::of(event).unwrap_or_else(|| panic!("not an object: {event}"));
    let record = std::str::from_utf8(&message.record).expect("a record is UTF-8");
    let stored = Members::of(record).unwrap_or_else(|| panic!("not an object: {record}"));
    for (name, value) in given.0.iter().filter(|(name, value)| name == "data" || value.get() != "null") {
        match name.as_str() {
            "data" => assert_eq!(stored.value("data"), Some(value.get()), "{event}"),
            // White space around JSON stays in the record, but is no part of the value there.
            "data_base64" => {
                let (stored, given) = (bytes(&stored), decoded(value.get()));
                assert!(stored == given || stored == given.trim_ascii(), "{event}");
            }
            name => same_value(name, value.get(), &stored, event),
        }
    }
    for (name, at) in [("deliverat", message.available), ("expiresat", message.expires)] {
        if let Some(text) = given.text(name) {
            assert_eq!(at, text.parse::<Timestamp>().ok().map(When::At), "{event}");
        }
    }
}

/// An attribute's value, whatever of it was escaped.
fn same_value(name: &str, given: &str, stored: &Members, event: &str) {
    let stored = stored.value(name).unwrap_or_else(|| panic!("{name} is not stored of {event}"));
    let value = |json: &str| serde_json::from_str::<serde_json::Value>(json).expect("it was read before");
    match (value(given), value(stored)) {
        // `3.0`, `3e0` and the negative zero of JSON are whole numbers too.
        (given, stored) if given.is_number() => assert_eq!(given.as_f64(), stored.as_f64(), "{event}"),
        (given, stored) => assert_eq!(given, stored, "{name} of {event}"),
    }
}

/// The data of a record as bytes.
pub(super) fn bytes(stored: &Members) -> Vec<u8> {
    let content_type = stored.text("datacontenttype").unwrap_or_default().to_ascii_lowercase();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let subtype = essence.split_once('/').map_or("", |(_, subtype)| subtype);
    let is_json = subtype == "json" || subtype.ends_with("+json");
    match (stored.value("data"), stored.value("data_base64")) {
        (Some(json), None) if is_json => json.as_bytes().to_vec(),
        (Some(text), None) => {
            serde_json::from_str::<String>(text).map(String::into_bytes).unwrap_or_default()
        }
        (None, Some(text)) => decoded(text),
        (None, None) => Vec::new(),
        (Some(_), Some(_)) => panic!("data in two forms"),
    }
}

fn decoded(json: &str) -> Vec<u8> {
    let text: String = serde_json::from_str(json).expect("it is a text");
    BASE64_STANDARD.decode(text).expect("it is base64")
}
