//! Errors as problem details (RFC 9457). A program lists its slugs in one table; the ones that every
//! program has stand here. A retired slug is never used again.

use std::{borrow::Cow, time::Duration};

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

/// A kind of problem: stable, explained at `/problems/NAME`.
#[derive(Debug, PartialEq, Eq)]
pub struct Slug {
    /// The last part of `type`.
    pub name: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What it is, in a few words.
    pub title: &'static str,
    /// What happened and what to do, for whoever opens the `type`.
    pub help: &'static str,
}

macro_rules! slugs {
    ($($constant:ident $name:literal $status:literal $title:literal $help:literal)*) => {
        $(#[doc = $title] pub const $constant: Slug =
            Slug { name: $name, status: $status, title: $title, help: $help };)*
        /// The slugs that every program has.
        pub const COMMON: &[&Slug] = &[$(&$constant),*];
    };
}

slugs! {
    MALFORMED_JSON "malformed-json" 400 "The body is not JSON"
        "The body could not be read as JSON in UTF-8. The detail names the line and column. Nothing was changed; mend the body and send it again."
    MALFORMED_REQUEST "malformed-request" 400 "The request can't be read"
        "The request broke off or is not valid HTTP. Nothing was changed; send it again whole."
    NOT_FOUND "not-found" 404 "There is nothing at this path"
        "No endpoint has this path. GET /openapi.json lists all that there are."
    METHOD_NOT_ALLOWED "method-not-allowed" 405 "This path does not take this method"
        "The Allow header names the methods that this path takes. GET /openapi.json describes them."
    REQUEST_TIMEOUT "request-timeout" 408 "The request took too long"
        "The request did not arrive, or was not answered, within the time limit. It may or may not have been carried out: repeat it under the same id."
    BODY_TOO_LARGE "body-too-large" 413 "The body is too large"
        "The body, or a message in it, is over the limit that the detail names. Nothing was changed; send less at once."
    INVALID_FIELD "invalid-field" 422 "A field is wrong"
        "`errors` names each field at fault, what is wrong with it and what would be right. Unknown fields and query parameters are refused too. Nothing was changed; mend the fields and send it again."
    HEADERS_TOO_LARGE "headers-too-large" 431 "The head of the request is too large"
        "The path and headers together, or the number of headers, are over the limit that the detail names. Nothing was looked at or changed; send less in headers."
    INTERNAL "internal" 500 "Something broke here"
        "This is a fault of the server; its log says more. It may or may not have been carried out: repeat it under the same id."
    NOT_READY "not-ready" 503 "Not ready to serve"
        "The program is starting, stopping, or can't do its work; the detail says why. Try again soon."
    OVERLOADED "overloaded" 503 "Too much at once"
        "More requests wait than are taken in. Nothing was changed; try again after the time in Retry-After."
}

/// An error answer.
#[derive(Debug, Clone)]
pub struct Problem {
    slug: &'static Slug,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    retry_after: Option<Duration>,
    members: serde_json::Map<String, serde_json::Value>,
}

/// What is wrong with one field.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FieldError {
    /// The field's path, such as `lines[0].sku`, or the name of a parameter or header.
    pub field: String,
    /// What is wrong and what would be right.
    pub detail: String,
}

/// Problem details (RFC 9457), as `application/problem+json`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody<'a> {
    /// `/problems/SLUG`; GET explains it.
    #[schema(example = "/problems/invalid-field")]
    r#type: String,
    /// What it is, in a few words.
    title: &'a str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What happened here.
    detail: &'a str,
    /// The fields at fault.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    /// What this kind of problem says besides.
    #[serde(flatten)]
    #[schema(ignore)]
    members: &'a serde_json::Map<String, serde_json::Value>,
}

impl Problem {
    /// A problem of that kind; its detail is the title until [`Self::detail`] says more.
    #[must_use]
    pub fn new(slug: &'static Slug) -> Self {
        Self {
            slug,
            detail: Cow::Borrowed(slug.title),
            errors: Vec::new(),
            retry_after: None,
            members: serde_json::Map::new(),
        }
    }

    /// Something broke here: the error goes to the log, not to the client.
    #[must_use]
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        let causes = std::iter::successors(error.source(), |error| error.source());
        let causes: String = causes.map(|cause| format!(": {cause}")).collect();
        tracing::error!(error = %format_args!("{error}{causes}"), "request_failed");
        Self::new(&INTERNAL)
    }

    /// A wrong field.
    #[must_use]
    pub fn invalid(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(&INVALID_FIELD).field(field, detail)
    }

    /// Says what happened here.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Names a field at fault; the first one also becomes the detail.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>, detail: impl Into<String>) -> Self {
        let error = FieldError { field: field.into(), detail: detail.into() };
        if self.errors.is_empty() {
            self.detail = Cow::Owned(format!("{}: {}", error.field, error.detail));
        }
        self.errors.push(error);
        self
    }

    /// Says when trying again makes sense; at least a second in the header.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// Adds a member of its own, such as `queue`.
    #[must_use]
    pub fn member(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// Which kind it is.
    #[must_use]
    pub const fn slug(&self) -> &'static Slug {
        self.slug
    }

    /// The fields at fault.
    #[must_use]
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.slug.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = ProblemBody {
            r#type: format!("/problems/{}", self.slug.name),
            title: self.slug.title,
            status: self.slug.status,
            detail: &self.detail,
            errors: &self.errors,
            members: &self.members,
        };
        let bytes = serde_json::to_vec(&body).expect("texts and numbers are always JSON");
        let mut response = (self.status(), bytes).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(after) = self.retry_after {
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}

/// The page behind a problem's `type`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Explanation {
    /// `/problems/SLUG`.
    pub r#type: String,
    /// What it is, in a few words.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What happened and what to do.
    pub help: &'static str,
}

/// Explains a slug out of a program's table, or `None` where it has none of that name.
#[must_use]
pub fn explain(table: &[&'static Slug], name: &str) -> Option<Explanation> {
    let slug = table.iter().find(|slug| slug.name == name)?;
    Some(Explanation {
        r#type: format!("/problems/{}", slug.name),
        title: slug.title,
        status: slug.status,
        help: slug.help,
    })
}
