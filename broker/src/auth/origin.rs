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

/// Lets a request that a browser says the origin of pass only to a name that nobody else can give this machine: an
/// address, or `localhost`. By another name the page itself may be of a site whose name was bound to this machine
/// to get in (DNS rebinding), and for a browser that page and the broker are one. Of a GET over plain HTTP a
/// browser says nothing: by such a name it can read.
///
/// # Errors
/// `foreign-page`.
pub(super) fn check_name(parts: &Parts) -> Result<(), Problem> {
    let headers = &parts.headers;
    let is_of_browser = headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site");
    let is_own = |authority: Authority| {
        let host = authority.host();
        let address = host.trim_start_matches('[').trim_end_matches(']');
        let name = host.to_ascii_lowercase();
        address.parse::<IpAddr>().is_ok() || name == "localhost" || name.ends_with(".localhost")
    };
    let named = here(parts).and_then(|here| here.parse().ok());
    if !is_of_browser || named.is_some_and(is_own) {
        return Ok(());
    }
    Err(Problem::new(&FOREIGN_PAGE).detail(
        "without tokens the broker answers browsers by an address or as localhost: call it so, make a token, or \
         start it with --allow-anonymous",
    ))
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
