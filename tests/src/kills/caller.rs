//! Requests to a broker that may be killed at any moment.

use std::time::Duration;

use reqwest::{Client, Method, StatusCode};
use serde_json::Value;

/// Why there is nothing to go on with.
#[derive(Debug)]
pub(super) enum Lost {
    /// No answer, half of one, or 503: the broker is going or gone. What was asked may have been done.
    Unanswered,
    /// An answer that is not in the contract.
    Wrong(String),
}

/// Speaks to one run of the broker.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    url: String,
    client: Client,
}

impl Caller {
    pub(super) fn new(url: &str) -> anyhow::Result<Self> {
        let client = Client::builder().timeout(Duration::from_secs(60)).build()?;
        Ok(Self { url: url.to_owned(), client })
    }

    /// The status and the body of an answer.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: &Value,
    ) -> Result<(StatusCode, Value), Lost> {
        let request = self.client.request(method, format!("{}{path}", self.url));
        let request = request.header("content-type", content_type).body(body.to_string());
        let answer = request.send().await.map_err(|_| Lost::Unanswered)?;
        let status = answer.status();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            return Err(Lost::Unanswered);
        }
        let bytes = answer.bytes().await.map_err(|_| Lost::Unanswered)?;
        // DELETE answers without a body.
        let body = if bytes.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&bytes) };
        body.map(|body| (status, body)).map_err(|error| Lost::Wrong(format!("{path}: {error}")))
    }

    /// The body of an answer that must be 2xx.
    pub(super) async fn call(&self, method: Method, path: &str, body: &Value) -> Result<Value, Lost> {
        match self.ask(method, path, "application/json", body).await? {
            (status, body) if status.is_success() => Ok(body),
            (status, body) => Err(Lost::Wrong(format!("{path} answered {status}: {body}"))),
        }
    }
}
