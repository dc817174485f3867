//! Writes an event in structured mode:
//! `{"specversion":"1.0","id":…,"source":…,"type":…, other attributes…, "data":…}`.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::Serialize;

use super::{Attribute, Data, Envelope};

/// What the attributes take beside the data, about.
const ENVELOPE_BYTES: usize = 512;

pub(super) fn structured(envelope: &Envelope) -> Bytes {
    let mut out = Vec::with_capacity(ENVELOPE_BYTES + data_size(&envelope.data));
    out.extend_from_slice(br#"{"specversion":"1.0""#);
    member(&mut out, "id", &envelope.id);
    member(&mut out, "source", &envelope.source);
    member(&mut out, "type", &envelope.kind);
    for (name, value) in &envelope.attributes {
        match value {
            Attribute::Text(text) => member(&mut out, name, text),
            Attribute::Bare(json) => verbatim(&mut out, name, json.as_bytes()),
        }
    }
    match &envelope.data {
        Data::None => {}
        Data::Json(json) => verbatim(&mut out, "data", json),
        Data::Text(text) => member(&mut out, "data", &String::from_utf8_lossy(text)),
        Data::Binary(bytes) => member(&mut out, "data_base64", &BASE64_STANDARD.encode(bytes)),
    }
    out.push(b'}');
    out.into()
}

const fn data_size(data: &Data) -> usize {
    match data {
        Data::None => 0,
        Data::Json(bytes) | Data::Text(bytes) => bytes.len(),
        Data::Binary(bytes) => bytes.len() / 3 * 4 + 4,
    }
}

fn member(out: &mut Vec<u8>, name: &str, text: &str) {
    out.push(b',');
    put(out, name);
    out.push(b':');
    put(out, text);
}

fn verbatim(out: &mut Vec<u8>, name: &str, json: &[u8]) {
    out.push(b',');
    put(out, name);
    out.push(b':');
    out.extend_from_slice(json);
}

fn put(out: &mut Vec<u8>, text: &str) {
    let mut serializer = serde_json::Serializer::new(out);
    text.serialize(&mut serializer).expect("a text written to memory can't fail");
}
