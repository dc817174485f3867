//! Writing answers by hand where they are many a second, or carry stored events that must not be parsed.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use units::Timestamp;

pub(super) use super::receipt::write_number;
use crate::store::Found;

/// Writes a text as a JSON string.
pub(super) fn write_text(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a text always serialises, and a Vec takes every byte");
}

/// Writes a member whose value is a text, with the comma before it.
pub(super) fn write_member(out: &mut Vec<u8>, name: &str, text: &str) {
    write_name(out, name);
    write_text(out, text);
}

/// Writes a member whose value is a time, with the comma before it.
pub(super) fn write_time(out: &mut Vec<u8>, name: &str, at: Timestamp) {
    write_name(out, name);
    out.push(b'"');
    out.extend_from_slice(at.to_string().as_bytes());
    out.push(b'"');
}

/// Writes a member whose value is a number, with the comma before it.
pub(super) fn write_count(out: &mut Vec<u8>, name: &str, count: u64) {
    write_name(out, name);
    write_number(out, count);
}

/// Writes a member's name, with the comma before it; names need no escaping.
pub(super) fn write_name(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// Writes the members that show a stored event, with the comma before them: `message`, and `damaged` where it
/// is not as it was stored and can't be shown.
pub(super) fn write_message(out: &mut Vec<u8>, found: &Found) {
    write_name(out, "message");
    match found {
        Found::Whole(record) => out.extend_from_slice(record),
        Found::Damaged(_) => out.extend_from_slice(b"null,\"damaged\":true"),
    }
}

/// Ends a list in pages.
pub(super) fn end_page(out: &mut Vec<u8>, next_cursor: Option<&str>) {
    out.push(b']');
    if let Some(cursor) = next_cursor {
        write_member(out, "next_cursor", cursor);
    }
    out.push(b'}');
}

/// A body of JSON as an answer.
pub(super) fn answer(status: StatusCode, body: Vec<u8>) -> Response {
    let content_type = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    (status, [content_type], body).into_response()
}
