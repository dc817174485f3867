//! A thin client of the HTTP contract: calls go out, bodies come back as they are, problems as failures.

use std::{path::PathBuf, sync::OnceLock, time::Duration};

use bytes::Bytes;
use http::{Method, StatusCode, header};
use reqwest::{RequestBuilder, Response, Url};
use serde::{Serialize, de::DeserializeOwned};

use super::{failure::Failure, problem::Problem};
use crate::auth::local;

/// How long to wait for a connection.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// How long to wait for anything to come back: longer than the broker's own limit of a request.
const SILENT_TIME: Duration = Duration::from_secs(120);

/// Speaks to one broker.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    base: Url,
    /// As given, or found once it turned out to be needed.
    token: OnceLock<String>,
    /// Where a token is looked for then.
    folder: PathBuf,
}

impl Client {
    /// Of a broker at a URL.
    ///
    /// # Errors
    /// When it is none of a broker.
    pub(super) fn new(url: &str, token: Option<String>, folder: PathBuf) -> anyhow::Result<Self> {
        let wrong = |why: &str| Failure::Usage(format!("{url:?} is not the URL of a broker: {why}"));
        let base = Url::parse(url).map_err(|error| wrong(&error.to_string()))?;
        if base.scheme() != "http" || base.cannot_be_a_base() {
            return Err(wrong("write it as http://127.0.0.1:7070").into());
        }
        // A broker stands in our own network: a proxy of the environment is not for it.
        let http =
            reqwest::Client::builder().no_proxy().connect_timeout(CONNECT_TIME).read_timeout(SILENT_TIME);
        let token = token.map_or_else(OnceLock::new, OnceLock::from);
        Ok(Self { http: http.build()?, base, token, folder })
    }

    /// The URL of a path, each segment percent-encoded.
    pub(super) fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    /// A request to be filled in.
    pub(super) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.http.request(method, url)
    }

    /// GETs a document.
    pub(super) async fn get(&self, url: Url) -> Result<Bytes, Failure> {
        self.body(self.request(Method::GET, url)).await
    }

    /// POSTs JSON.
    pub(super) async fn post(&self, url: Url, json: &impl Serialize) -> Result<Bytes, Failure> {
        self.body(self.request(Method::POST, url).json(json)).await
    }

    /// PUTs JSON.
    pub(super) async fn put(&self, url: Url, json: &impl Serialize) -> Result<Bytes, Failure> {
        self.body(self.request(Method::PUT, url).json(json)).await
    }

    /// PUTs JSON to make something that is not there yet.
    pub(super) async fn create(&self, url: Url, json: &impl Serialize) -> Result<Bytes, Failure> {
        self.body(self.request(Method::PUT, url).header(header::IF_NONE_MATCH, "*").json(json)).await
    }

    /// DELETEs.
    pub(super) async fn delete(&self, url: Url) -> Result<(), Failure> {
        self.body(self.request(Method::DELETE, url)).await.map(drop)
    }

    /// Sends a request and reads the answer whole.
    pub(super) async fn body(&self, request: RequestBuilder) -> Result<Bytes, Failure> {
        let answer = self.send(request).await?;
        answer.bytes().await.map_err(|error| Failure::unanswered(&self.base, &error))
    }

    /// Sends a request; its answer, if it is a success. Where the broker wants a token and none was given,
    /// it is sent again with the one that the data folder has.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let again = request.try_clone().filter(|_| self.token.get().is_none());
        let answer = self.attempt(request).await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return self.checked(answer).await;
        }
        let (Some(again), Ok(token)) = (again, self.local_token()) else {
            return self.checked(answer).await;
        };
        self.token.get_or_init(|| token);
        self.checked(self.attempt(again).await?).await
    }

    async fn attempt(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let request = match self.token.get() {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        request.send().await.map_err(|error| Failure::unanswered(&self.base, &error))
    }

    async fn checked(&self, answer: Response) -> Result<Response, Failure> {
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let body = answer.bytes().await.map_err(|error| Failure::unanswered(&self.base, &error))?;
        let problem: Box<Problem> = serde_json::from_slice(&body).map_err(|_| self.foreign(status))?;
        if status == StatusCode::UNAUTHORIZED && self.token.get().is_none() {
            let why = self.local_token().err().unwrap_or_default();
            let hint = format!("Give a token with --token or BROKER_TOKEN. {why}").trim_end().to_owned();
            return Err(Failure::NoToken { problem, hint });
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

/// Whether a broker that wrote down its URL is the one at another. Names of this machine are not the same as
/// its addresses: behind `localhost` may be another user's program.
fn is_at(written: &str, asked: &Url) -> bool {
    let Ok(written) = Url::parse(written) else { return false };
    written.host() == asked.host() && written.port_or_known_default() == asked.port_or_known_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(url: &str) -> Client {
        Client::new(url, None, PathBuf::new()).unwrap()
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
            assert!(Client::new(url, None, PathBuf::new()).is_err(), "{url:?}");
        }
    }

    #[test]
    fn the_token_of_a_folder_is_for_its_own_broker_alone() {
        let asked = |url: &str| is_at("http://127.0.0.1:7070", &Url::parse(url).unwrap());
        assert!(asked("http://127.0.0.1:7070") && asked("http://127.0.0.1:7070/behind/a/path"));
        assert!(!asked("http://127.0.0.1:7071") && !asked("http://[::1]:7070") && !asked("http://h:7070"));
    }
}
