//! A publish as an input writes it: lines of headers, an empty line, and the body.
//!
//! ```text
//! content-type: application/cloudevents+json
//! message-delay: 5s
//!
//! {"specversion":"1.0",…}
//! ```

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use broker::api::publishing;
use broker_core::{
    command::{Destination, Publish},
    identity::Name,
};
use bytes::Bytes;
use serve::problem::Problem;

/// How large a message may be here: small, so that the limit is met.
pub(crate) const LIMIT: usize = 4096;

/// The headers and the body of a publish.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Request {
    /// Reads an input.
    pub(crate) fn read(input: &[u8]) -> Self {
        let (headers, body) = head(input);
        Self { headers, body: Bytes::copy_from_slice(body) }
    }

    /// A body of that type and no other header.
    pub(crate) fn of(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let content_type = (axum::http::header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self { headers: HeaderMap::from_iter([content_type]), body: body.into() }
    }

    /// What the broker reads in it: the command, and the ids for the answer.
    pub(crate) fn published(&self, limit: usize) -> Result<(Publish, Vec<String>), Problem> {
        let topic = Name::parse("t").expect("it is a name");
        publishing::parse(Destination::Topic(topic), &self.headers, &self.body, limit)
    }

    /// The Content-Type without its parameters, in lower case.
    pub(crate) fn essence(&self) -> String {
        let value = self.headers.get("content-type").map(HeaderValue::as_bytes).unwrap_or_default();
        let essence = value.split(|byte| *byte == b';').next().unwrap_or_default();
        String::from_utf8_lossy(essence.trim_ascii()).to_ascii_lowercase()
    }
}

/// Lines of headers, up to an empty one, and what follows them. Lines that can't be headers are passed over:
/// no server would hand them on.
pub(crate) fn head(text: &[u8]) -> (HeaderMap, &[u8]) {
    let (mut headers, mut rest) = (HeaderMap::new(), text);
    while !rest.is_empty() {
        let (line, after) = next_line(rest);
        rest = after;
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = header(line) {
            headers.append(name, value);
        }
    }
    (headers, rest)
}

/// The first line, and what follows it.
pub(crate) fn next_line(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
    (&text[..end], text.get(end + 1..).unwrap_or_default())
}

fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = HeaderName::from_bytes(&line[..colon]).ok()?;
    Some((name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?))
}
