//! One call of the HTTP contract, as it is put together.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use http_body_util::Full;
use serde::Serialize;
use url::Url;

use super::failure::Failure;

/// A call that can be sent, more than once too.
#[derive(Clone, Debug)]
pub(super) struct Call {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Bytes,
}

impl Call {
    /// Without headers and body.
    pub(super) fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// With one more header.
    ///
    /// # Errors
    /// When HTTP has no way to carry that text.
    pub(super) fn header(mut self, name: HeaderName, value: &str) -> Result<Self, Failure> {
        let wrong = |_| Failure::Usage(format!("{value:?} can't be sent in the header {name}"));
        let value = HeaderValue::from_str(value).map_err(wrong)?;
        self.headers.insert(name, value);
        Ok(self)
    }

    /// With a body.
    pub(super) fn body(self, body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// With JSON as its body.
    pub(super) fn json(mut self, json: &impl Serialize) -> Self {
        let body = serde_json::to_vec(json).expect("texts and numbers are always JSON");
        self.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.body(body)
    }

    /// How many bytes its body has.
    pub(super) fn length(&self) -> usize {
        self.body.len()
    }

    /// As it goes out, with the value of `Authorization` where there is one.
    ///
    /// # Errors
    /// When its URL has something in it that HTTP does not take.
    pub(super) fn request(
        &self,
        authorization: Option<&HeaderValue>,
    ) -> Result<Request<Full<Bytes>>, Failure> {
        let mut request = Request::new(Full::new(self.body.clone()));
        let wrong = |error| Failure::Usage(format!("{:?} can't be asked for: {error}", self.url.as_str()));
        *request.uri_mut() = self.url.as_str().parse().map_err(wrong)?;
        *request.method_mut() = self.method.clone();
        *request.headers_mut() = self.headers.clone();
        if let Some(value) = authorization {
            request.headers_mut().insert(header::AUTHORIZATION, value.clone());
        }
        Ok(request)
    }
}
