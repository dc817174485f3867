//! An event's data, and in which form it is given back: as JSON, as a text, or in base64.

use std::str;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::value::RawValue;

use super::nesting::is_too_deep;

/// Data in the form in which it is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data<'a> {
    /// There is none.
    None,
    /// A JSON text, embedded verbatim as `data`. It must be one valid JSON value.
    Json(&'a str),
    /// A text, given back as a string in `data`.
    Text(&'a str),
    /// Bytes, given back in `data_base64`.
    Binary(&'a [u8]),
}

impl<'a> Data<'a> {
    /// What bytes of that content type become: JSON where type and content are, of no more than
    /// [`MAX_LEVELS`](super::nesting::MAX_LEVELS), a text where the type is one of text and the content UTF-8, else
    /// base64. An empty body is no data.
    #[must_use]
    pub fn received(content_type: Option<&str>, bytes: &'a [u8]) -> Self {
        if bytes.is_empty() {
            return Self::None;
        }
        match content_type.map_or(Form::Binary, form_of) {
            Form::Json => json(bytes).map_or(Self::Binary(bytes), Self::Json),
            Form::Text => str::from_utf8(bytes).map_or(Self::Binary(bytes), Self::Text),
            Form::Binary => Self::Binary(bytes),
        }
    }

    /// Its size in bytes, as received.
    #[must_use]
    pub const fn size(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Json(text) | Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    /// Writes the member of the record, with the comma before it.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::None => {}
            Self::Json(text) => {
                out.extend_from_slice(b",\"data\":");
                out.extend_from_slice(text.as_bytes());
            }
            Self::Text(text) => {
                out.extend_from_slice(b",\"data\":");
                super::put_text(out, text);
            }
            Self::Binary(bytes) => {
                out.extend_from_slice(b",\"data_base64\":\"");
                out.extend_from_slice(BASE64_STANDARD.encode(bytes).as_bytes());
                out.push(b'"');
            }
        }
    }
}

/// The forms that content types ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Text,
    Binary,
}

/// Types are compared without case and parameters. A charset other than UTF-8 shows in the bytes.
fn form_of(content_type: &str) -> Form {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let Some((top, sub)) = essence.split_once('/') else { return Form::Binary };
    if sub == "json" || sub.ends_with("+json") {
        Form::Json
    } else if top == "text" || sub.ends_with("+xml") || is_form(&essence) {
        Form::Text
    } else {
        Form::Binary
    }
}

fn is_form(essence: &str) -> bool {
    matches!(essence, "application/x-www-form-urlencoded" | "multipart/form-data")
}

/// The bytes as a JSON text, where they are one that every reader can read; white space around it stays.
fn json(bytes: &[u8]) -> Option<&str> {
    let text = str::from_utf8(bytes).ok().filter(|text| !is_too_deep(text))?;
    serde_json::from_str::<&RawValue>(text).ok().map(|_| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_of_a_json_type_is_json_only_where_it_is_json() {
        for content_type in ["application/json", "Application/Vnd.X+JSON; charset=utf-8", "text/json"] {
            assert_eq!(
                Data::received(Some(content_type), b"[1.0]\n"),
                Data::Json("[1.0]\n"),
                "{content_type}"
            );
            for wrong in [&b"{"[..], b"1 2", b"\xff", b"nul", b" "] {
                assert_eq!(Data::received(Some(content_type), wrong), Data::Binary(wrong), "{content_type}");
            }
        }
    }

    #[test]
    fn utf8_of_text_types_is_a_text() {
        let types =
            ["text/plain", "image/svg+xml", "application/x-www-form-urlencoded", "TEXT/HTML;charset=utf-8"];
        for content_type in types {
            assert_eq!(Data::received(Some(content_type), "ä".as_bytes()), Data::Text("ä"), "{content_type}");
            assert_eq!(Data::received(Some(content_type), b"\xe4"), Data::Binary(b"\xe4"), "{content_type}");
        }
    }

    #[test]
    fn all_else_is_base64_and_nothing_is_nothing() {
        for content_type in [None, Some("application/octet-stream"), Some("nonsense"), Some("image/png")] {
            assert_eq!(Data::received(content_type, b"{}"), Data::Binary(b"{}"));
        }
        assert_eq!(Data::received(Some("application/json"), b""), Data::None);
    }
}
