//! Binary mode: the body is the data, attributes come as `ce-*` headers, and the broker fills in what is
//! missing. The other modes may repeat the attributes as headers, which are checked here alike.

use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderValue, header};
use broker_core::command::Destination;
use percent_encoding::percent_decode_str;
use units::Timestamp;
use uuid::Uuid;

use super::{
    attributes::{Attributes, CONTROLS, Value, has_controls},
    draft::{Draft, Payload},
    fault::Fault,
    field::{single, trimmed, without_tabs},
};

/// Reads a message.
pub(super) fn read<'a>(
    destination: &Destination,
    headers: &'a HeaderMap,
    body: &'a [u8],
) -> Result<Draft<'a>, Fault> {
    let mut rest = Attributes::with_prefix("ce-");
    for (name, value) in attributes(headers) {
        set(&mut rest, name, value)?;
    }
    rest.content_type = content_type(headers)?;
    rest.time.get_or_insert_with(|| Cow::Owned(Timestamp::now().to_string()));
    let given = match rest.id.take() {
        Some(id) => Some(id),
        None => idempotency_key(headers)?,
    };
    Ok(Draft {
        id_given: given.is_some(),
        id: given.unwrap_or_else(|| Cow::Owned(Uuid::now_v7().to_string())),
        source: rest.source.take().unwrap_or_else(|| Cow::Owned(path_of(destination))),
        kind: rest.kind.take().unwrap_or(Cow::Borrowed("message")),
        rest,
        payload: Payload::Bytes(Cow::Borrowed(body)),
    })
}

/// Checks the headers of this mode beside an event in JSON, which may repeat its attributes so (CloudEvents
/// HTTP binding, 3.2.3). They mean nothing, but a wrong one is a mistake of its sender.
pub(super) fn check(headers: &HeaderMap) -> Result<(), Fault> {
    idempotency_key(headers)?;
    let mut repeated = Attributes::with_prefix("ce-");
    attributes(headers)
        .filter(|(name, _)| !matches!(*name, "data" | "datacontenttype"))
        .try_for_each(|(name, value)| set(&mut repeated, name, value))
}

fn attributes(headers: &HeaderMap) -> impl Iterator<Item = (&str, &HeaderValue)> {
    headers.iter().filter_map(|(header, value)| Some((header.as_str().strip_prefix("ce-")?, value)))
}

fn path_of(destination: &Destination) -> String {
    match destination {
        Destination::Queue(name) => format!("/queues/{name}"),
        Destination::Topic(name) => format!("/topics/{name}"),
    }
}

fn set<'a>(rest: &mut Attributes<'a>, name: &str, value: &'a HeaderValue) -> Result<(), Fault> {
    match name {
        "datacontenttype" => {
            Err(Fault::of("ce-datacontenttype", "is the header Content-Type in binary mode"))
        }
        "data" => Err(Fault::of("ce-data", "is the body in binary mode")),
        _ => rest.set(name, Value::Text(decode(name, value)?)),
    }
}

/// The content type, which may be left out but not be empty.
fn content_type(headers: &HeaderMap) -> Result<Option<Cow<'_, str>>, Fault> {
    let text = single(headers, header::CONTENT_TYPE.as_str()).map_err(|_| wrong_content_type())?;
    let text = text.filter(|text| !text.is_empty()).map(without_tabs);
    match text {
        Some(text) if has_controls(&text) => Err(Fault::of("Content-Type", CONTROLS)),
        text => Ok(text),
    }
}

fn wrong_content_type() -> Fault {
    Fault::of("Content-Type", "is given twice, or not a text")
}

/// `Idempotency-Key`; the quotes that the IETF's draft puts around it are not part of it.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<Cow<'_, str>>, Fault> {
    let Some(text) = single(headers, "Idempotency-Key")? else { return Ok(None) };
    let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    match quoted.unwrap_or(text) {
        "" => Err(Fault::of("Idempotency-Key", "is empty")),
        key if !key.bytes().all(|byte| matches!(byte, b' '..=b'~')) => {
            Err(Fault::of("Idempotency-Key", "is not printable ASCII"))
        }
        key => Ok(Some(Cow::Borrowed(key))),
    }
}

/// A header's value as the HTTP binding encodes it: perhaps quoted, then percent-encoded UTF-8.
fn decode<'a>(name: &str, value: &'a HeaderValue) -> Result<Cow<'a, str>, Fault> {
    let fault = || Fault::of(format!("ce-{name}"), "is not percent-encoded UTF-8");
    let text = trimmed(std::str::from_utf8(value.as_bytes()).map_err(|_| fault())?);
    if text.contains('\t') {
        return Err(fault());
    }
    let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    match quoted {
        None => percent_decode_str(text).decode_utf8().map_err(|_| fault()),
        Some(inner) => {
            let plain = unescape(inner);
            let decoded = percent_decode_str(&plain).decode_utf8().map_err(|_| fault())?;
            Ok(Cow::Owned(decoded.into_owned()))
        }
    }
}

/// Takes the backslashes out of a quoted string.
fn unescape(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        out.extend(if char == '\\' { chars.next() } else { Some(char) });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(value: &str) -> Result<String, Fault> {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        decode("subject", &value).map(Cow::into_owned)
    }

    #[test]
    fn header_values_are_decoded_once_as_the_binding_says() {
        assert_eq!(decoded("Euro%20%E2%82%AC%20%F0%9F%98%80").unwrap(), "Euro € 😀");
        assert_eq!(decoded("100%2525").unwrap(), "100%25");
        assert_eq!(decoded("\"a \\\"b\\\" %22\"").unwrap(), "a \"b\" \"");
        assert_eq!(decoded("50%").unwrap(), "50%");
        assert_eq!(decoded("café").unwrap(), "café");
        assert!(decoded("%FF").is_err());
    }

    #[test]
    fn only_the_white_space_of_http_is_taken_off_a_header() {
        assert_eq!(decoded(" \u{a0}x\u{3000} ").unwrap(), "\u{a0}x\u{3000}");
    }
}
