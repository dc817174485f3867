//! Sends requests to the broker, and tells from its problems (RFC 9457) what the caller can do.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use reqwest::{Response, Url};
use serde::{Deserialize, Serialize};

use crate::{
    failure,
    transport::{TransportError, UnknownTransport},
};

/// How long to wait for a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// How long a request may take, beyond what it asks the broker to wait.
const REQUEST_LIMIT: Duration = Duration::from_secs(10);

#[derive(Clone, Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    base: Url,
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
    Answered { status: StatusCode, problem: Problem, retry_after: Option<Duration> },
    /// No answer, or one that can't be read.
    Unanswered(TransportError),
}

impl Client {
    pub(super) fn new(url: &str) -> Result<Self, UnknownTransport> {
        let invalid = |detail: String| UnknownTransport::Url { url: url.to_owned(), detail };
        let base = Url::parse(url).map_err(|error| invalid(error.to_string()))?;
        if base.scheme() != "http" || base.cannot_be_a_base() {
            return Err(invalid("it does not start with http://".to_owned()));
        }
        // A broker stands in our own network: a proxy of the environment is not for it.
        let http = reqwest::Client::builder()
            .no_proxy()
            .tcp_nodelay(true)
            .connect_timeout(CONNECT_LIMIT)
            .build()
            .map_err(|error| invalid(failure::reason(&error)))?;
        Ok(Self { http, base })
    }

    pub(super) async fn get(&self, path: &[&str]) -> Result<Bytes, TransportError> {
        let request = self.http.get(self.url(path)).timeout(REQUEST_LIMIT);
        body(request.send().await).await.map_err(TransportError::from)
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
        let request = self.http.request(method, self.url(path)).timeout(REQUEST_LIMIT + wait).json(json);
        body(request.send().await).await.map_err(TransportError::from)
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
        let request = self.http.post(self.url(path)).timeout(REQUEST_LIMIT).headers(headers).body(bytes);
        body(request.send().await).await
    }

    /// The URL of a path, each segment percent-encoded.
    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }
}

/// The answer's body if it is a success, read whole.
async fn body(answer: Result<Response, reqwest::Error>) -> Result<Bytes, Unsuccessful> {
    let unreachable = |error: reqwest::Error| {
        // The URL is in the logs of every start already, and makes each line long.
        let detail = failure::reason(&error.without_url());
        Unsuccessful::Unanswered(TransportError::Unreachable { detail, retry_after: None })
    };
    let answer = answer.map_err(unreachable)?;
    let (status, retry_after) = (answer.status(), retry_after(answer.headers()));
    let bytes = answer.bytes().await.map_err(unreachable)?;
    if status.is_success() {
        return Ok(bytes);
    }
    // What is between us and the broker may answer something else than a problem.
    let problem = serde_json::from_slice(&bytes).unwrap_or_default();
    Err(Unsuccessful::Answered { status, problem, retry_after })
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
            (StatusCode::CONFLICT, _) => Self::Conflict(detail),
            (StatusCode::TOO_MANY_REQUESTS | StatusCode::INSUFFICIENT_STORAGE, _) => {
                Self::Throttled { detail, retry_after }
            }
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
