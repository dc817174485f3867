//! The console: one page at `/` for a browser, which calls the broker as any client does. It brings no
//! data of its own, so that it may be shown before anybody gave a token.

use std::sync::LazyLock;

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse as _, Response},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serve::problem::Problem;

/// The page with its style and script in it; `{nonce}` is left to fill.
static PAGE: LazyLock<String> = LazyLock::new(|| {
    let script = [
        include_str!("console/calls.js"),
        include_str!("console/elements.js"),
        include_str!("console/actions.js"),
        include_str!("console/views.js"),
        include_str!("console/main.js"),
    ];
    include_str!("console/page.html")
        .replace("{style}", include_str!("console/style.css"))
        .replace("{script}", &script.concat())
});

/// Whether a browser asks: it names HTML, where other clients take anything.
pub(crate) fn is_wanted(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut ranges = accepted.flat_map(|value| value.split(',')).map(|range| range.split(';').map(str::trim));
    ranges.any(|mut parts| {
        let is_html = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("text/html"));
        is_html && !parts.any(|parameter| parameter.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0)))
    })
}

/// The page. Its policy lets nothing run or load but what is in it, whatever a message says.
///
/// # Errors
/// `internal` where the system has no random numbers.
pub(crate) fn page(status: StatusCode) -> Result<Response, Problem> {
    let nonce = nonce().map_err(|error| Problem::internal(&error))?;
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; \
         img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    );
    let policy = HeaderValue::try_from(policy).expect("a nonce in base64 is a header's text");
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::VARY, HeaderValue::from_static("accept")),
    ];
    Ok((status, headers, Html(PAGE.replace("{nonce}", &nonce))).into_response())
}

fn nonce() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}
