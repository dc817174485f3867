//! The headers that go with any form of body.

use std::{borrow::Cow, time::Duration};

use axum::http::HeaderMap;

use super::{fault::Fault, trace::Trace};
use crate::api::given::{Lifetime, Pause, Span};

/// What the headers ask for.
#[derive(Debug)]
pub(super) struct Options {
    /// `Message-Delay`.
    pub(super) delay: Option<Duration>,
    /// `Message-TTL`, from when the message can first be received.
    pub(super) ttl: Option<Duration>,
    /// `Require-Route`.
    pub(super) require_route: bool,
    /// `traceparent` and `tracestate`.
    pub(super) trace: Option<Trace>,
}

impl Options {
    /// Reads them.
    pub(super) fn read(headers: &HeaderMap, batch: bool) -> Result<Self, Fault> {
        if batch && headers.contains_key("idempotency-key") {
            return Err(Fault::of("Idempotency-Key", "is for one message: the events of a batch have ids"));
        }
        // Kept as it is, whoever receives it could not know what it is.
        if !single(headers, "Content-Encoding")?.is_none_or(|coding| coding.eq_ignore_ascii_case("identity"))
        {
            return Err(Fault::of("Content-Encoding", "is not undone here: send the body without it"));
        }
        Ok(Self {
            delay: parsed(headers, "Message-Delay", Pause::parse)?.map(|Span(delay)| delay),
            ttl: parsed(headers, "Message-TTL", Lifetime::parse)?.map(|Span(ttl)| ttl),
            require_route: flag(headers, "Require-Route")?,
            trace: Trace::read(headers),
        })
    }
}

/// The one value of a header.
pub(super) fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Fault> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Fault::of(name, "is given twice"));
    }
    let text = std::str::from_utf8(value.as_bytes()).map_err(|_| Fault::of(name, "is not UTF-8"))?;
    Ok(Some(trimmed(text)))
}

/// A header's value without the white space that HTTP has around it. What else Unicode calls so belongs to
/// the value.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// A header's value with blanks for the tabs that HTTP takes for the same, and an attribute may not have.
pub(super) fn without_tabs(text: &str) -> Cow<'_, str> {
    if text.contains('\t') { Cow::Owned(text.replace('\t', " ")) } else { Cow::Borrowed(text) }
}

fn parsed<T>(
    headers: &HeaderMap,
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>, Fault> {
    single(headers, name)?.map(|text| parse(text).map_err(|detail| Fault::of(name, detail))).transpose()
}

fn flag(headers: &HeaderMap, name: &str) -> Result<bool, Fault> {
    match single(headers, name)? {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Fault::of(name, "is true or false")),
    }
}
