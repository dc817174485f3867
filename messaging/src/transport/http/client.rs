//! Sends requests to the broker, and tells from its problems (RFC 9457) what the caller can do.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::{Deserialize, Serialize};
use url::Url;

use super::connector::{Connector, connector};
use crate::{
    failure,
    transport::{Token, TransportError, UnknownTransport},
};

/// How long a request may take, beyond what it asks the broker to wait.
const REQUEST_LIMIT: Duration = Duration::from_secs(10);

#[derive(Clone, Debug)]
pub(super) struct Client {
    http: hyper_util::client::legacy::Client<Connector, Full<Bytes>>,
    base: Url,
    /// What each request shows.
    authorization: Option<HeaderValue>,
}

/// What the broker says is wrong.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: String,
    detail: String,
    /// Which event of a batch is at fault.
    pub(super) index: Option<usize>,
    errors: Vec<FieldError>,
}

#[derive(Debug, Deserialize)]
struct FieldError {
    #[serde(default)]
    field: String,
    #[serde(default)]
    detail: String,
}

/// A request that did not succeed.
#[derive(Debug)]
pub(super) enum Unsuccessful {
    /// The broker answered with an error.
    Answered { status: StatusCode, problem: Box<Problem>, retry_after: Option<Duration> },
    /// No answer, or one that can't be read.
    Unanswered(TransportError),
}

impl Client {
    pub(super) fn new(url: &str, token: Option<&Token>) -> Result<Self, UnknownTransport> {
        let invalid = |detail: String| UnknownTransport::Url { url: url.to_owned(), detail };
        let base = Url::parse(url).map_err(|error| invalid(error.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") || base.cannot_be_a_base() {
            return Err(invalid("it does not start with http:// or https://".to_owned()));
        }
        let connector = connector(base.scheme()).map_err(|error| invalid(failure::reason(&error)))?;
        let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(connector);
        let authorization = token.and_then(Token::bearer).map(sensitive).transpose()?;
        Ok(Self { http, base, authorization })
    }

    pub(super) async fn get(&self, path: &[&str]) -> Result<Bytes, TransportError> {
        let sent = self.send(Method::GET, path, HeaderMap::new(), Vec::new(), REQUEST_LIMIT).await;
        sent.map_err(TransportError::from)
    }

    pub(super) async fn put(
        &self,
        path: &[&str],
        settings: &impl Serialize,
    ) -> Result<Bytes, TransportError> {
        self.json(Method::PUT, path, settings, Duration::ZERO).await
    }

    /// Posts JSON. The broker may take `wait` longer than a request usually may.
    pub(super) async fn post(
        &self,
        path: &[&str],
        json: &impl Serialize,
        wait: Duration,
    ) -> Result<Bytes, TransportError> {
        self.json(Method::POST, path, json, wait).await
    }

    async fn json(
        &self,
        method: Method,
        path: &[&str],
        json: &impl Serialize,
        wait: Duration,
    ) -> Result<Bytes, TransportError> {
        let json = serde_json::to_vec(json).map_err(|error| TransportError::Protocol(error.to_string()))?;
        let content_type = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let headers = HeaderMap::from_iter([content_type]);
        let sent = self.send(method, path, headers, json, REQUEST_LIMIT + wait).await;
        sent.map_err(TransportError::from)
    }

    /// Posts a body of another type, with one more header.
    pub(super) async fn post_bytes(
        &self,
        path: &[&str],
        content_type: &'static str,
        extra: (HeaderName, HeaderValue),
        bytes: Vec<u8>,
    ) -> Result<Bytes, Unsuccessful> {
        let headers =
            HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(content_type)), extra]);
        self.send(Method::POST, path, headers, bytes, REQUEST_LIMIT).await
    }

    /// Sends a request and reads its answer whole, if it is a success, all within the limit.
    async fn send(
        &self,
        method: Method,
        path: &[&str],
        headers: HeaderMap,
        bytes: Vec<u8>,
        limit: Duration,
    ) -> Result<Bytes, Unsuccessful> {
        let mut request = Request::new(Full::new(Bytes::from(bytes)));
        *request.method_mut() = method;
        *request.uri_mut() = self.uri(path)?;
        *request.headers_mut() = headers;
        if let Some(authorization) = &self.authorization {
            request.headers_mut().insert(header::AUTHORIZATION, authorization.clone());
        }
        let whole = async {
            let answer =
                self.http.request(request).await.map_err(|error| unreachable(failure::reason(&error)))?;
            let (head, body) = answer.into_parts();
            let body = body.collect().await.map_err(|error| unreachable(failure::reason(&error)))?;
            successful(head.status, &head.headers, body.to_bytes())
        };
        match tokio::time::timeout(limit, whole).await {
            Ok(answer) => answer,
            Err(_) => Err(unreachable(format!("no answer within {limit:?}"))),
        }
    }

    /// The URI of a path, each segment percent-encoded.
    fn uri(&self, path: &[&str]) -> Result<Uri, Unsuccessful> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        Uri::try_from(url.as_str()).map_err(|error| unreachable(error.to_string()))
    }
}

fn sensitive(text: String) -> Result<HeaderValue, UnknownTransport> {
    let mut value = HeaderValue::try_from(text).map_err(|_| UnknownTransport::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

/// No answer. The broker's URL is in the logs of every start already, and would make each line long.
fn unreachable(detail: String) -> Unsuccessful {
    Unsuccessful::Unanswered(TransportError::Unreachable { detail, retry_after: None })
}

/// The answer's body if it is a success.
fn successful(status: StatusCode, headers: &HeaderMap, bytes: Bytes) -> Result<Bytes, Unsuccessful> {
    if status.is_success() {
        return Ok(bytes);
    }
    // What is between us and the broker may answer something else than a problem.
    let problem = serde_json::from_slice(&bytes).unwrap_or_default();
    Err(Unsuccessful::Answered { status, problem, retry_after: retry_after(headers) })
}

/// `Retry-After` in whole seconds; the form with a date is none of ours.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

impl Problem {
    /// The stable name: what stands after the last slash of `type`.
    pub(super) fn slug(&self) -> &str {
        self.kind.rsplit('/').next().unwrap_or_default()
    }

    /// All that it says, in one line.
    pub(super) fn text(&self, status: StatusCode) -> String {
        let mut text = status.as_u16().to_string();
        for part in [self.slug(), &self.title, &self.detail] {
            if !part.is_empty() {
                text = format!("{text}: {part}");
            }
        }
        for FieldError { field, detail } in &self.errors {
            text = format!("{text}; {field}: {detail}");
        }
        failure::shortened(text)
    }
}

impl From<Unsuccessful> for TransportError {
    fn from(unsuccessful: Unsuccessful) -> Self {
        let (status, problem, retry_after) = match unsuccessful {
            Unsuccessful::Unanswered(error) => return error,
            Unsuccessful::Answered { status, problem, retry_after } => (status, problem, retry_after),
        };
        let detail = problem.text(status);
        match (status, problem.slug()) {
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => Self::Denied(detail),
            (StatusCode::NOT_FOUND, _) | (_, "no-route") => Self::Missing(detail),
            (StatusCode::TOO_MANY_REQUESTS | StatusCode::INSUFFICIENT_STORAGE, _)
            | (_, "too-many-queues") => Self::Throttled { detail, retry_after },
            (StatusCode::CONFLICT, _) => Self::Conflict(detail),
            (StatusCode::REQUEST_TIMEOUT, _) => Self::Unreachable { detail, retry_after },
            _ if status.is_client_error() => Self::Refused(detail),
            _ => Self::Unreachable { detail, retry_after },
        }
    }
}

/// Reads an answer.
pub(super) fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, TransportError> {
    serde_json::from_slice(bytes).map_err(|error| TransportError::Protocol(error.to_string()))
}
