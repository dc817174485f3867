//! What every answer is like.

use axum::http::{HeaderMap, Method};
use broker::api::problem::TABLE;
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use serve::problem::COMMON;

use super::Call;

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn hold(&self, call: &Call) {
        assert_ne!(self.status, 500, "{call:?}: {self:?}");
        let of_type = |wanted: &str| {
            self.headers.get("content-type").is_some_and(|value| value.as_bytes() == wanted.as_bytes())
        };
        if call.method == Method::HEAD {
            assert!(self.body.is_empty(), "{call:?}: {self:?}");
        } else if self.status >= 400 {
            assert!(of_type("application/problem+json"), "{call:?}: {self:?}");
            self.hold_as_problem(call);
        } else if of_type("application/json") {
            assert!(self.json().is_some(), "{call:?}: {self:?}");
        }
        assert!(self.status >= 400 || is_text(call), "what is no text was taken: {call:?}: {self:?}");
    }

    fn json(&self) -> Option<Value> {
        let text = std::str::from_utf8(&self.body).ok()?;
        // Stored events may hold what is JSON but no value here, such as 1e999.
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        is_json.then(|| serde_json::from_str(text).unwrap_or_default())
    }

    fn hold_as_problem(&self, call: &Call) {
        let problem = self.json().unwrap_or_else(|| panic!("{call:?}: {self:?}"));
        let kind = problem["type"].as_str().and_then(|kind| kind.strip_prefix("/problems/"));
        let slug = TABLE.iter().chain(COMMON).find(|slug| Some(slug.name) == kind);
        let slug = slug.unwrap_or_else(|| panic!("{call:?}: {problem}"));
        assert_eq!((slug.status, problem["status"].as_u64()), (self.status, Some(self.status.into())));
        assert_eq!(problem["title"], slug.title, "{call:?}");
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{call:?}: {problem}");
        if self.status == 422 {
            let error = &problem["errors"][0];
            let said = |name: &str| error[name].as_str().is_some_and(|text| !text.is_empty());
            assert!(said("field") && said("detail"), "{call:?}: {problem}");
        }
        let needed = match self.status {
            401 => Some("www-authenticate"),
            405 => Some("allow"),
            429 | 503 => Some("retry-after"),
            _ => None,
        };
        assert!(needed.is_none_or(|name| self.headers.contains_key(name)), "{call:?}: {self:?}");
    }
}

/// Whether path and query are UTF-8 once they are percent-decoded.
fn is_text(call: &Call) -> bool {
    let is_text = |text: &str| percent_decode_str(text).decode_utf8().is_ok();
    is_text(call.uri.path()) && call.uri.query().is_none_or(is_text)
}
