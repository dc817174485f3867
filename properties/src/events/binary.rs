//! Binary mode: the body comes back byte for byte, and headers are decoded as the CloudEvents HTTP binding
//! says, so that an event written as headers again is the same.

use axum::http::{HeaderName, HeaderValue};
use broker_core::command::NewMessage;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{stored::sorted, structured::bytes};
use crate::{
    members::Members,
    request::{LIMIT, Request},
};

pub(super) fn hold(request: &Request, message: &NewMessage) {
    let record = std::str::from_utf8(&message.record).expect("a record is UTF-8");
    let stored = Members::of(record).unwrap_or_else(|| panic!("not an object: {record}"));
    data_as_received(request, &stored, record);
    attributes_as_received(request, message);
    same_from_its_headers(request, message, record);
}

/// JSON is compared in the record's own text, where white space around it stays.
fn data_as_received(request: &Request, stored: &Members, record: &str) {
    let trimmed = request.body.trim_ascii();
    if stored.value("data").is_some_and(|data| data.as_bytes() == trimmed) {
        let tail = [b",\"data\":", &request.body[..], b"}"].concat();
        assert!(record.as_bytes().ends_with(&tail), "{record}");
    } else {
        assert_eq!(bytes(stored), request.body, "{record}");
    }
}

/// Values without quotes: percent-decoded, and nothing else but the white space of HTTP taken away.
fn attributes_as_received(request: &Request, message: &NewMessage) {
    for (name, value) in &request.headers {
        let Some(attribute) = name.as_str().strip_prefix("ce-") else { continue };
        let text = std::str::from_utf8(value.as_bytes()).expect("what is no text is refused");
        let text = text.trim_matches([' ', '\t']);
        if text.starts_with('"') {
            continue;
        }
        let wanted = percent_decode_str(text).decode_utf8().expect("what is no text is refused");
        assert_eq!(message.attributes.get(attribute), Some(&*wanted), "{name}");
    }
}

/// Every attribute as a header, percent-encoded but for letters and digits, gives the same event.
fn same_from_its_headers(request: &Request, message: &NewMessage, record: &str) {
    let mut again = Request { body: request.body.clone(), ..Request::read(b"") };
    for (name, value) in message.attributes.iter() {
        let (header, value) = if name == "datacontenttype" {
            ("content-type".to_owned(), value.to_owned())
        } else {
            (format!("ce-{name}"), utf8_percent_encode(value, NON_ALPHANUMERIC).to_string())
        };
        let header = HeaderName::from_bytes(header.as_bytes()).expect("attributes are letters and digits");
        again
            .headers
            .append(header, HeaderValue::from_bytes(value.as_bytes()).expect("it was a header before"));
    }
    let (publish, _) = again.published(LIMIT).unwrap_or_else(|problem| panic!("{problem:?}: {record}"));
    let same = &publish.messages[0];
    assert_eq!(sorted(&same.attributes), sorted(&message.attributes), "{record}");
    assert_eq!(
        (same.identity, same.fingerprint, same.size),
        (message.identity, message.fingerprint, message.size)
    );
}
