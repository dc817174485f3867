//! A thin client of the HTTP contract: calls go out, bodies come back as they are, problems as failures.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use rustls::ClientConfig;
use serde::{Serialize, de::DeserializeOwned};
use tokio::{net::TcpStream, time::timeout};
use tower::{ServiceExt as _, util::MapResponse};
use tower_http::timeout::TimeoutBody;
use url::{ParseError, Url};

use super::{
    call::Call, connection::Hearing, failure::Failure, problem::Problem, trust, unanswered::unanswered,
};
use crate::auth::local;

/// How long to wait for a connection.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// How long to wait for anything to come back: longer than the broker's own limit of a request.
const SILENT_TIME: Duration = Duration::from_secs(120);

/// What came back; its body fails where nothing comes for too long.
pub(super) type Answer = Response<TimeoutBody<Incoming>>;

/// A connection, with TLS or without.
type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;
/// Makes connections on which early answers are heard.
type Connector = MapResponse<HttpsConnector<HttpConnector>, fn(Stream) -> Hearing<Stream>>;

/// Speaks to one broker. No proxy of the environment is asked: a broker stands in our own network.
#[derive(Debug)]
pub(super) struct Client {
    http: legacy::Client<Connector, Full<Bytes>>,
    base: Url,
    /// The value of `Authorization`, as given, or found once it turned out to be needed.
    authorization: OnceLock<HeaderValue>,
    /// Where a token is looked for then.
    folder: PathBuf,
}

impl Client {
    /// Of a broker at a URL, whose certificate is vouched for by the authorities of a file or of the system.
    ///
    /// # Errors
    /// When it is none of a broker, or the token or the file can't be used.
    pub(super) fn new(
        url: &str,
        authorities: Option<&Path>,
        token: Option<&str>,
        folder: PathBuf,
    ) -> anyhow::Result<Self> {
        let wrong = |why: &str| Failure::Usage(format!("{url:?} is not the URL of a broker: {why}"));
        let base = match Url::parse(url) {
            Ok(base) if ["http", "https"].contains(&base.scheme()) => base,
            Ok(_) | Err(ParseError::RelativeUrlWithoutBase) => {
                return Err(wrong("write it as http://127.0.0.1:7070").into());
            }
            Err(error) => return Err(wrong(&error.to_string()).into()),
        };
        let tls = match (authorities, base.scheme()) {
            (None, "http") => trust::none(),
            (authorities, _) => trust::tls(authorities)?,
        };
        let http = legacy::Client::builder(TokioExecutor::new()).build(connector(tls));
        let authorization = match token {
            Some(token) => OnceLock::from(bearer(token)?),
            None => OnceLock::new(),
        };
        Ok(Self { http, base, authorization, folder })
    }

    /// The URL of a path, each segment percent-encoded.
    pub(super) fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    /// GETs a document.
    pub(super) async fn get(&self, url: Url) -> Result<Bytes, Failure> {
        self.body(Call::new(Method::GET, url)).await
    }

    /// POSTs JSON.
    pub(super) async fn post(&self, url: Url, json: &impl Serialize) -> Result<Bytes, Failure> {
        self.body(Call::new(Method::POST, url).json(json)).await
    }

    /// PUTs JSON.
    pub(super) async fn put(&self, url: Url, json: &impl Serialize) -> Result<Bytes, Failure> {
        self.body(Call::new(Method::PUT, url).json(json)).await
    }

    /// PUTs JSON to make something that is not there yet.
    pub(super) async fn create(&self, url: Url, json: &impl Serialize) -> Result<Bytes, Failure> {
        self.body(Call::new(Method::PUT, url).header(header::IF_NONE_MATCH, "*")?.json(json)).await
    }

    /// DELETEs.
    pub(super) async fn delete(&self, url: Url) -> Result<(), Failure> {
        self.body(Call::new(Method::DELETE, url)).await.map(drop)
    }

    /// Makes a call and reads the answer whole.
    pub(super) async fn body(&self, call: Call) -> Result<Bytes, Failure> {
        let answer = self.send(call).await?;
        self.whole(answer).await
    }

    /// Makes a call; its answer, if it is a success. Where the broker wants a token and none was given, the
    /// call is made again with the one that the data folder has.
    pub(super) async fn send(&self, call: Call) -> Result<Answer, Failure> {
        let without_token = self.authorization.get().is_none();
        let answer = self.attempt(&call).await?;
        if answer.status() != StatusCode::UNAUTHORIZED || !without_token {
            return self.checked(answer).await;
        }
        let Ok(token) = self.local_token() else { return self.checked(answer).await };
        let authorization = bearer(&token)?;
        self.authorization.get_or_init(|| authorization);
        self.checked(self.attempt(&call).await?).await
    }

    async fn attempt(&self, call: &Call) -> Result<Answer, Failure> {
        let request = call.request(self.authorization.get())?;
        let answer = timeout(SILENT_TIME, self.http.request(request)).await;
        let sent = call.length();
        let answer = answer
            .map_err(|elapsed| unanswered(&self.base, sent, &elapsed))
            .and_then(|answer| answer.map_err(|error| unanswered(&self.base, sent, &error)))?;
        Ok(answer.map(|body| TimeoutBody::new(SILENT_TIME, body)))
    }

    async fn whole(&self, answer: Answer) -> Result<Bytes, Failure> {
        let body = answer.into_body().collect().await;
        Ok(body.map_err(|error| unanswered(&self.base, 0, &*error))?.to_bytes())
    }

    async fn checked(&self, answer: Answer) -> Result<Answer, Failure> {
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let body = self.whole(answer).await?;
        let problem: Box<Problem> = serde_json::from_slice(&body).map_err(|_| self.foreign(status))?;
        if status == StatusCode::UNAUTHORIZED && self.authorization.get().is_none() {
            let why = self.local_token().err().unwrap_or_default();
            let hint = format!("Give a token with --token or BROKER_TOKEN. {why}").trim_end().to_owned();
            return Err(Failure::Hinted { problem, hint });
        }
        Err(Failure::Refused(problem))
    }

    /// Reads an answer.
    pub(super) fn read<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, Failure> {
        serde_json::from_slice(body).map_err(|error| self.foreign(error))
    }

    /// The failure of an answer that is none of a broker's.
    pub(super) fn foreign(&self, why: impl ToString) -> Failure {
        Failure::Foreign { url: self.base.to_string(), why: why.to_string() }
    }

    /// The token of the broker that runs on the data folder, if that is the one asked; else why there is
    /// none. It may do everything, so it is never shown to anybody else.
    fn local_token(&self) -> Result<String, String> {
        let folder = self.folder.display();
        match local::read(&self.folder) {
            Ok(Some(access)) if is_at(&access.url, &self.base) => Ok(access.token),
            Ok(Some(access)) => Err(format!("The folder {folder} is that of the broker at {}.", access.url)),
            Ok(None) => {
                Err(format!("The folder {folder}, which --data names, has none of a running broker."))
            }
            Err(error) => Err(format!("The one in the folder {folder} can't be read: {error}.")),
        }
    }
}

/// The value of `Authorization`.
fn bearer(token: &str) -> Result<HeaderValue, Failure> {
    let value = HeaderValue::try_from(format!("Bearer {token}"));
    let mut value =
        value.map_err(|_| Failure::Usage("the token has something in it that no token has".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn connector(tls: ClientConfig) -> Connector {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_connect_timeout(Some(CONNECT_TIME));
    http.set_nodelay(true);
    let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
    https.enable_http1().wrap_connector(http).map_response(Hearing::new)
}

/// Whether a broker that wrote down its URL is the one at another. Names of this machine are not the same as
/// its addresses: behind `localhost` may be another user's program.
fn is_at(written: &str, asked: &Url) -> bool {
    let Ok(written) = Url::parse(written) else { return false };
    let same_scheme = written.scheme() == asked.scheme();
    same_scheme
        && written.host() == asked.host()
        && written.port_or_known_default() == asked.port_or_known_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(url: &str) -> Client {
        Client::new(url, None, None, PathBuf::new()).unwrap()
    }

    #[test]
    fn each_segment_of_a_path_is_percent_encoded() {
        let url = client("http://h:1").url(&["messages", "a/b?c d%"]);
        assert_eq!(url.as_str(), "http://h:1/messages/a%2Fb%3Fc%20d%25");
    }

    #[test]
    fn a_url_may_have_a_path_of_its_own() {
        for base in ["http://h/broker", "http://h/broker/"] {
            assert_eq!(client(base).url(&["queues"]).as_str(), "http://h/broker/queues");
        }
    }

    #[test]
    fn what_is_no_url_of_a_broker_is_refused() {
        for url in ["", "127.0.0.1:7070", "ftp://h", "mailto:a@b"] {
            assert!(Client::new(url, None, None, PathBuf::new()).is_err(), "{url:?}");
        }
    }

    #[test]
    fn the_token_of_a_folder_is_for_its_own_broker_alone() {
        let asked = |url: &str| is_at("http://127.0.0.1:7070", &Url::parse(url).unwrap());
        assert!(asked("http://127.0.0.1:7070") && asked("http://127.0.0.1:7070/behind/a/path"));
        assert!(!asked("http://127.0.0.1:7071") && !asked("http://[::1]:7070") && !asked("http://h:7070"));
    }
}
