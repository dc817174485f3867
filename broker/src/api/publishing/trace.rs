//! The W3C trace context of a request, kept with its messages as the CloudEvents extension for
//! distributed tracing. A context that is not well formed is left out, as W3C asks.

use axum::http::HeaderMap;

use super::field::without_tabs;

/// The context.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Trace {
    /// `traceparent`.
    pub(super) parent: String,
    /// `tracestate`, where it came along.
    pub(super) state: Option<String>,
}

impl Trace {
    /// Reads it from a request's headers.
    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        let parent = headers.get("traceparent")?.to_str().ok().filter(|text| is_well_formed(text))?;
        let state = headers.get("tracestate").and_then(|value| value.to_str().ok());
        let state = state.filter(|text| !text.is_empty());
        Some(Self { parent: parent.to_owned(), state: state.map(|text| without_tabs(text).into_owned()) })
    }
}

/// `VERSION-TRACE-SPAN-FLAGS` in lower-case hex; later versions may append to it. All-zero ids are none.
fn is_well_formed(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut hex = |length: usize| {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        parts.next().filter(|part| part.len() == length && part.bytes().all(hex))
    };
    let (version, trace, span, flags) = (hex(2), hex(32), hex(16), hex(2));
    let set = |part: Option<&str>| part.is_some_and(|part| part.bytes().any(|byte| byte != b'0'));
    let ends = parts.next().is_none() || version != Some("00");
    version.is_some_and(|version| version != "ff") && set(trace) && set(span) && flags.is_some() && ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_well_formed_context_counts() {
        assert!(is_well_formed("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
        assert!(is_well_formed("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more"));
        for text in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert!(!is_well_formed(text), "{text}");
        }
    }
}
