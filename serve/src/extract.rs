//! Strict extractors: whatever is wrong with a request comes back as a [`Problem`] that names the
//! field. Give the target types `#[serde(deny_unknown_fields)]`.

use axum::{
    extract::{FromRequest, FromRequestParts, Request, path::ErrorKind, rejection::PathRejection},
    http::request::Parts,
};
use bytes_limit::read;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, de::DeserializeOwned};
use serde_path_to_error::Segment;
use utoipa::ToSchema;

use crate::problem::{INVALID_FIELD, MALFORMED_JSON, NOT_FOUND, Problem};

pub(crate) mod bodiless;
mod bytes_limit;

/// A JSON body, whatever its Content-Type; an empty one is `{}`.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = read(request).await?;
        parse_json(&bytes).map(Json)
    }
}

/// Nothing can be set.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// The body's bytes, within the limit of the route (`axum::extract::DefaultBodyLimit`).
#[derive(Debug, Clone)]
pub struct Body(pub axum::body::Bytes);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        read(request).await.map(Body)
    }
}

/// Reads JSON strictly; an empty text is `{}`.
///
/// # Errors
/// `malformed-json` with line and column, or `invalid-field` with the field's path.
pub fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let bytes = if bytes.iter().all(u8::is_ascii_whitespace) { b"{}" } else { bytes };
    // Serde takes an array for a struct, its fields in order; nobody means that.
    if bytes.trim_ascii_start().starts_with(b"[") {
        check_json(bytes)?;
        return Err(wrong_field(".", "invalid type: sequence, expected an object"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = followed(error.path());
        // A wrong type comes before the end of the text is seen, and what is JSON may still be nothing that a
        // field can be (half a surrogate pair, `1e999`, a hundred arrays in each other): is it JSON at all?
        check_json(bytes)
            .map_or_else(|problem| problem, |()| wrong_field(&path, &error.into_inner().to_string()))
    })?;
    deserializer.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

fn check_json(bytes: &[u8]) -> Result<(), Problem> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| Problem::new(&MALFORMED_JSON).detail(format!("the body is not UTF-8: {error}")))?;
    serde_json::from_str::<serde::de::IgnoredAny>(text).map(|_| ()).map_err(|error| malformed(&error))
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::new(&MALFORMED_JSON).detail(format!("the body is not JSON: {error}"))
}

/// A path as far as it could be followed: a name that is no text (half a surrogate pair) ends it.
fn followed(path: &serde_path_to_error::Path) -> String {
    let text = path.to_string();
    match path.iter().next_back() {
        Some(Segment::Unknown) => text.trim_end_matches('?').trim_end_matches('.').to_owned(),
        _ => text,
    }
}

/// Serde says unknown, missing and doubled fields in words; the field is taken out of them.
fn wrong_field(path: &str, message: &str) -> Problem {
    let detail = without_place(message);
    let path = if path == "." && named_in(detail) != Some(".") { "" } else { path };
    let field = match named_in(detail) {
        // A member without a name is a fault of what it stands in.
        Some("") => path.strip_suffix('.').unwrap_or(path).to_owned(),
        Some(name) if path.is_empty() => name.to_owned(),
        // The path of an unknown field leads to it already.
        Some(name) if detail.starts_with("unknown") && ends_in(path, name) => path.to_owned(),
        Some(name) => format!("{path}.{name}"),
        None => path.to_owned(),
    };
    let field = if field.is_empty() { "body" } else { &*field };
    Problem::new(&INVALID_FIELD).field(field, in_words_of_json(detail))
}

/// The field that an error is about by its words, which quote it as it is, whatever stands in it.
fn named_in(detail: &str) -> Option<&str> {
    let quoted = ["unknown field `", "missing field `", "duplicate field `"];
    let rest = quoted.iter().find_map(|start| detail.strip_prefix(start))?;
    let end = ["`, expected ", "`, there are no fields"].iter().filter_map(|end| rest.rfind(end)).max();
    end.map(|end| &rest[..end]).or_else(|| rest.strip_suffix('`'))
}

fn ends_in(path: &str, name: &str) -> bool {
    path.strip_suffix(name).is_some_and(|outer| outer.is_empty() || outer.ends_with('.'))
}

/// An error's words without the line and column at their end.
fn without_place(message: &str) -> &str {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_place = |(line, column): (&str, &str)| is_number(line) && is_number(column);
    match message.rsplit_once(" at line ") {
        Some((detail, place)) if place.split_once(" column ").is_some_and(is_place) => detail,
        _ => message,
    }
}

/// Serde speaks of Rust's types where a client knows those of JSON.
fn in_words_of_json(detail: &str) -> String {
    let Some((found, expected)) = detail.rsplit_once(", expected ") else { return detail.to_owned() };
    let expected = match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" => "a whole number",
        "f32" | "f64" => "a number",
        "a sequence" => "an array",
        "a map" => "an object",
        text if text.starts_with("struct ") => "an object",
        text => text,
    };
    let found = match found {
        "invalid type: sequence" => "invalid type: array",
        "invalid type: map" => "invalid type: object",
        text if text.starts_with("invalid length") && expected == "an object" => "invalid type: array",
        text => text,
    };
    format!("{found}, expected {expected}")
}

/// The query's parameters; an unknown or repeated one is refused.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // Decoding alone would put U+FFFD in place of what is no text.
        if percent_decode_str(parts.uri.query().unwrap_or_default()).decode_utf8().is_err() {
            return Err(Problem::invalid("query", "is not percent-encoded UTF-8"));
        }
        let axum::extract::Query(pairs) =
            axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
                .map_err(|error| Problem::invalid("query", error.body_text()))?;
        parse_query(pairs).map(Query)
    }
}

fn parse_query<T: DeserializeOwned>(pairs: Vec<(String, String)>) -> Result<T, Problem> {
    if pairs.iter().any(|(name, _)| name.is_empty()) {
        return Err(Problem::invalid("query", "has a parameter without a name"));
    }
    let mut seen = std::collections::HashSet::new();
    if let Some((twice, _)) = pairs.iter().find(|(name, _)| !seen.insert(name.as_str())) {
        return Err(Problem::invalid(twice.clone(), "is given twice; give it once"));
    }
    let deserializer = serde::de::value::MapDeserializer::<_, serde::de::value::Error>::new(
        pairs.into_iter().map(|(name, value)| (name, query_value::Text(value))),
    );
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = followed(error.path());
        wrong_field(&path, &error.into_inner().to_string())
    })
}

mod query_value;

/// The query of a path that takes none: any parameter is refused by its name.
#[derive(Debug, Clone, Copy)]
pub struct NoQuery;

impl<S: Send + Sync> FromRequestParts<S> for NoQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct None {}
        if parts.uri.query().is_none_or(str::is_empty) {
            return Ok(Self);
        }
        Query::<None>::from_request_parts(parts, state).await.map(|_| Self)
    }
}

/// The path's parameters, percent-decoded. What can't be read is 404: no such thing has that path.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(PathRejection::FailedToDeserializePathParams(error))
                if !matches!(error.kind(), ErrorKind::InvalidUtf8InPathParam { .. }) =>
            {
                Err(Problem::invalid("path", error.body_text()))
            }
            Err(_) => Err(Problem::new(&NOT_FOUND)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Order {
        #[serde(default)]
        lines: Vec<Line>,
        limit: Option<u32>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Line {
        quantity: u32,
    }

    fn fault(json: &str) -> (String, String) {
        let problem = parse_json::<Order>(json.as_bytes()).unwrap_err();
        let field = problem.errors().first().map(|error| error.field.clone()).unwrap_or_default();
        (problem.slug().name.to_owned(), field)
    }

    #[test]
    fn a_wrong_field_is_named_by_its_path() {
        let invalid = |field: &str| ("invalid-field".to_owned(), field.to_owned());
        assert_eq!(fault(r#"{"lines":[{"quantity":"x"}]}"#), invalid("lines[0].quantity"));
        assert_eq!(fault(r#"{"lines":[{"quantity":1},{}]}"#), invalid("lines[1].quantity"));
        assert_eq!(fault(r#"{"lines":[{"quantity":1,"price":2}]}"#), invalid("lines[0].price"));
        assert_eq!(fault(r#"{"total":1}"#), invalid("total"));
        for array in ["[]", "[0]", "[[{}]]", " [{\"quantity\":1}]"] {
            assert_eq!(fault(array), invalid("body"), "{array}");
        }
    }

    #[test]
    fn an_unknown_field_is_named_whatever_its_name_is() {
        for name in ["x at line 3", "a`b", "`", "s", "a, expected b", "a`, expected b", "."] {
            let json = |outer: &str| outer.replace('?', name);
            let unknown = |field: String| ("invalid-field".to_owned(), field);
            assert_eq!(fault(&json(r#"{"?":1}"#)), unknown(name.to_owned()));
            assert_eq!(fault(&json(r#"{"lines":[{"?":1}]}"#)), unknown(format!("lines[0].{name}")));
        }
    }

    #[test]
    fn a_field_without_a_name_is_a_fault_of_what_it_stands_in() {
        assert_eq!(fault(r#"{"":1}"#).1, "body");
        assert_eq!(fault(r#"{"lines":[{"":1}]}"#).1, "lines[0]");
    }

    #[test]
    fn a_name_that_is_no_text_is_a_fault_of_what_it_stands_in() {
        assert_eq!(fault(r#"{"\ud800":1}"#), ("invalid-field".to_owned(), "body".to_owned()));
        assert_eq!(fault(r#"{"lines":[{"\ud800":1}]}"#).1, "lines[0]");
    }

    #[test]
    fn a_value_in_an_error_is_left_as_it_is() {
        let said = |json: &str| parse_json::<Order>(json.as_bytes()).unwrap_err().errors()[0].detail.clone();
        let value = "a, expected a map at line 3";
        let json = format!(r#"{{"limit":"{value}"}}"#);
        assert_eq!(said(&json), format!("invalid type: string {value:?}, expected a whole number"));
    }

    #[test]
    fn a_wrong_type_is_told_in_the_words_of_json() {
        let said = |json: &str| parse_json::<Order>(json.as_bytes()).unwrap_err().errors()[0].detail.clone();
        assert_eq!(said("[]"), "invalid type: array, expected an object");
        assert_eq!(said("3"), "invalid type: integer `3`, expected an object");
        assert_eq!(said(r#"{"lines":{}}"#), "invalid type: object, expected an array");
        assert_eq!(said(r#"{"limit":1.5}"#), "invalid type: floating point `1.5`, expected a whole number");
        assert_eq!(said(r#"{"limit":-1}"#), "invalid value: integer `-1`, expected a whole number");
    }

    #[test]
    fn what_is_json_but_fits_no_field_is_a_wrong_field_and_not_malformed() {
        for json in [r#"{"limit":1e999}"#, r#"{"limit":"\ud800"}"#] {
            assert_eq!(fault(json).0, "invalid-field", "{json}");
        }
        assert_eq!(
            parse_json::<Order>(b"{\"limit\":[],\"x\":\"\xff\"}").unwrap_err().slug().name,
            "malformed-json"
        );
    }

    #[test]
    fn what_is_not_json_is_malformed_and_not_a_wrong_field() {
        for json in ["{", "{\"lines\":1", "nope", "{} {}", "{\"limit\":\"\u{1}\"}"] {
            assert_eq!(fault(json).0, "malformed-json", "{json}");
        }
        assert_eq!(parse_json::<Order>(&[b'"', 0xff, b'"']).unwrap_err().slug().name, "malformed-json");
    }

    #[test]
    fn an_empty_body_is_an_empty_object() {
        assert_eq!(parse_json::<Order>(b"").unwrap(), Order { lines: vec![], limit: None });
    }

    #[test]
    fn query_parameters_are_parsed_and_an_unknown_or_repeated_one_is_named() {
        #[derive(Debug, Deserialize, PartialEq)]
        #[serde(deny_unknown_fields)]
        struct Page {
            limit: Option<u32>,
            force: Option<bool>,
            cursor: Option<String>,
        }
        let pairs = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>()
        };
        let page: Page = parse_query(pairs(&[("limit", "10"), ("force", "true"), ("cursor", "7")])).unwrap();
        assert_eq!(page, Page { limit: Some(10), force: Some(true), cursor: Some("7".to_owned()) });
        for (given, field) in [
            (&[("limt", "1")][..], "limt"),
            (&[("limit", "x")], "limit"),
            (&[("limit", "1"), ("limit", "2")], "limit"),
            (&[("", "1")], "query"),
            (&[("", "1"), ("", "2")], "query"),
        ] {
            let problem = parse_query::<Page>(pairs(given)).unwrap_err();
            assert_eq!(problem.errors()[0].field, field);
        }
    }
}
