//! Where a browser says that a request comes from. A page of another site must change nothing here: without
//! tokens whoever reaches this machine may do everything, and any page reaches it through its reader's browser.

use std::net::IpAddr;

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

/// Lets a request pass that calls the broker by a name that nobody else can give this machine: an address,
/// `localhost`, a name without a dot or of `.internal`, or none at all. By another name it may be of a page whose
/// site's name was bound to this machine to get in (DNS rebinding): for a browser that page and the broker are one,
/// and of a GET it says nothing else.
///
/// # Errors
/// `foreign-page`.
pub(super) fn check_name(parts: &Parts) -> Result<(), Problem> {
    match here(parts).filter(|name| !name.is_empty()) {
        Some(name) if !is_private(name) => Err(Problem::new(&FOREIGN_PAGE).detail(format!(
            "it calls the broker {name}: without tokens it is to be called by an address or as localhost; else make \
             a token, or start it with --allow-anonymous"
        ))),
        _ => Ok(()),
    }
}

/// Whether no registry gives that name to others: ICANN wants none without a dot, and keeps `.internal` private;
/// RFC 6761 keeps `.localhost` on this machine. Whoever answers for names in the local network is trusted.
fn is_private(authority: &str) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else { return false };
    let name = authority.host().to_ascii_lowercase();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    let is_reserved = || [".localhost", ".internal"].iter().any(|end| name.ends_with(end));
    address.parse::<IpAddr>().is_ok() || !name.contains('.') || is_reserved()
}

/// By which name the broker was called.
fn here(parts: &Parts) -> Option<&str> {
    let of_uri = parts.uri.authority().map(Authority::as_str);
    of_uri.or_else(|| text(&parts.headers, header::HOST.as_str()))
}

fn is_foreign(parts: &Parts) -> bool {
    let headers = &parts.headers;
    let site = text(headers, "sec-fetch-site").is_some_and(|site| matches!(site, "cross-site" | "same-site"));
    let here = here(parts);
    let elsewhere = |origin: &str| {
        let named = origin.split_once("://").map(|(_, authority)| authority);
        !named.zip(here).is_some_and(|(named, here)| named.eq_ignore_ascii_case(here))
    };
    site || text(headers, header::ORIGIN.as_str()).is_some_and(elsewhere)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
