//! Where a browser says that a request comes from. A page of another site must change nothing here: without
//! tokens whoever reaches this machine may do everything, and any page reaches it through its reader's browser.

use axum::http::{HeaderMap, Method, header, request::Parts, uri::Authority};
use serve::problem::Problem;

use crate::api::problem::FOREIGN_PAGE;

/// Lets a request pass that only reads, or that no page of another site has made. What pages of other sites
/// read they are not shown: no answer allows it by CORS.
///
/// # Errors
/// `foreign-page`.
pub(super) fn check(parts: &Parts) -> Result<(), Problem> {
    if matches!(parts.method, Method::GET | Method::HEAD) || !is_foreign(parts) {
        return Ok(());
    }
    Err(Problem::new(&FOREIGN_PAGE))
}

fn is_foreign(parts: &Parts) -> bool {
    let headers = &parts.headers;
    let site = text(headers, "sec-fetch-site").is_some_and(|site| matches!(site, "cross-site" | "same-site"));
    let here = parts.uri.authority().map(Authority::as_str).or_else(|| text(headers, header::HOST.as_str()));
    let elsewhere = |origin: &str| {
        let named = origin.split_once("://").map(|(_, authority)| authority);
        !named.zip(here).is_some_and(|(named, here)| named.eq_ignore_ascii_case(here))
    };
    site || text(headers, header::ORIGIN.as_str()).is_some_and(elsewhere)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
