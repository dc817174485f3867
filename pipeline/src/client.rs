//! Reading and writing JSON over HTTP, the way every command here does: short answers are parsed,
//! lists are read page by page, and an error says which request it was.

use std::time::Duration;

use messaging::transport::Token;
use reqwest::{Method, RequestBuilder, header::AUTHORIZATION};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// How long a request may take; longer than the longest wait that is asked for here.
const REQUEST_TIME: Duration = Duration::from_secs(30);

/// An HTTP client. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    broker: Option<Broker>,
}

/// A broker that wants a token. Nobody else is shown it.
#[derive(Clone, Debug)]
struct Broker {
    url: String,
    token: Token,
}

/// Why a request did not give what was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nobody answered.
    #[error("{request} was not answered")]
    Unanswered {
        /// Method and URL.
        request: String,
        /// What happened.
        source: reqwest::Error,
    },
    /// It was answered with an error.
    #[error("{request} was answered with {status}: {body}")]
    Refused {
        /// Method and URL.
        request: String,
        /// The HTTP status.
        status: u16,
        /// What was said, problem details most often.
        body: String,
    },
    /// The answer is not what the contract says.
    #[error("{request} gave an answer that can't be read")]
    Unreadable {
        /// Method and URL.
        request: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl ClientError {
    /// The HTTP status of a refusal.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether the same request may go well later: nobody answered, or it was too early or too much.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Unanswered { .. } => true,
            Self::Refused { status, .. } => matches!(*status, 408 | 409 | 429 | 500..),
            Self::Unreadable { .. } => false,
        }
    }
}

impl Broker {
    fn has(&self, url: &str) -> bool {
        url.strip_prefix(&self.url).is_some_and(|path| path.starts_with('/'))
    }
}

/// A part of a list.
#[derive(Deserialize)]
struct Page<T> {
    items: Vec<T>,
    #[serde(default)]
    next_cursor: Option<String>,
}

impl Client {
    /// A new client, with connections of its own.
    ///
    /// # Errors
    /// When the system's settings for HTTP can't be used.
    pub fn new() -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder().no_proxy().timeout(REQUEST_TIME).build()?;
        Ok(Self { http, broker: None })
    }

    /// The same, which shows the broker at that URL a token.
    #[must_use]
    pub fn with_token(self, broker: &str, token: Option<Token>) -> Self {
        let broker = token.map(|token| Broker { url: broker.to_owned(), token });
        Self { broker, ..self }
    }

    fn request(&self, method: Method, url: &str) -> RequestBuilder {
        let request = self.http.request(method, url);
        let of_broker = self.broker.as_ref().filter(|broker| broker.has(url));
        match of_broker.and_then(|broker| broker.token.bearer()) {
            Some(bearer) => request.header(AUTHORIZATION, bearer),
            None => request,
        }
    }

    /// GETs a JSON document.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn get<T: DeserializeOwned>(&self, url: &str) -> Result<T, ClientError> {
        send(format!("GET {url}"), self.request(Method::GET, url)).await
    }

    /// GETs a document as text.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn get_text(&self, url: &str) -> Result<String, ClientError> {
        let bytes = answer(&format!("GET {url}"), self.request(Method::GET, url)).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// GETs all pages of a list. `url` may bring parameters of its own.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn list<T: DeserializeOwned>(&self, url: &str) -> Result<Vec<T>, ClientError> {
        let first = format!("{url}{}limit=1000", if url.contains('?') { '&' } else { '?' });
        let mut items = Vec::new();
        let mut next = Some(first.clone());
        while let Some(url) = next {
            let page: Page<T> = self.get(&url).await?;
            items.extend(page.items);
            next = page.next_cursor.map(|cursor| format!("{first}&cursor={}", escape(&cursor)));
        }
        Ok(items)
    }

    /// PUTs a JSON document and reads the answer.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn put<T: DeserializeOwned>(&self, url: &str, body: &impl Serialize) -> Result<T, ClientError> {
        send(format!("PUT {url}"), self.request(Method::PUT, url).json(body)).await
    }

    /// POSTs a JSON document and reads the answer.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn post<T: DeserializeOwned>(
        &self,
        url: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        send(format!("POST {url}"), self.request(Method::POST, url).json(body)).await
    }

    /// POSTs a JSON document under an `Idempotency-Key` and reads the answer.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn post_once<T: DeserializeOwned>(
        &self,
        url: &str,
        key: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        send(format!("POST {url}"), self.request(Method::POST, url).header("idempotency-key", key).json(body))
            .await
    }
}

async fn send<T: DeserializeOwned>(request: String, builder: RequestBuilder) -> Result<T, ClientError> {
    let bytes = answer(&request, builder).await?;
    serde_json::from_slice(&bytes).map_err(|source| ClientError::Unreadable { request, source })
}

/// The body of a good answer.
async fn answer(request: &str, builder: RequestBuilder) -> Result<Vec<u8>, ClientError> {
    let unanswered = |source| ClientError::Unanswered { request: request.to_owned(), source };
    let response = builder.send().await.map_err(unanswered)?;
    let status = response.status();
    let bytes = response.bytes().await.map_err(unanswered)?;
    if status.is_success() {
        return Ok(bytes.into());
    }
    let body = String::from_utf8_lossy(&bytes).into_owned();
    Err(ClientError::Refused { request: request.to_owned(), status: status.as_u16(), body })
}

/// Percent-encodes one part of a URL.
#[must_use]
pub fn escape(part: &str) -> String {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encoded = part
        .bytes()
        .map(|byte| if unreserved(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") });
    encoded.collect()
}
