//! One field of a request's header: its value, as text.

use std::borrow::Cow;

use axum::http::HeaderMap;

use super::fault::Fault;

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
