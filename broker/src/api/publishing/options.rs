//! The headers that go with any form of body.

use std::time::Duration;

use axum::http::HeaderMap;

use super::{fault::Fault, field::single, trace::Trace};
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
