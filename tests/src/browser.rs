//! A real browser: Chromium without a window, driven over W3C WebDriver by Debian's `chromedriver`. The few
//! calls are spoken here, since the crates that speak them bring a licence that this project doesn't take.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    process::Stdio,
    time::Duration,
};

use anyhow::Context as _;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{
    eventually::eventually,
    http::{call, post},
    skip::{skip, works},
};

/// How long the driver may take to say where it listens.
const START: Duration = Duration::from_secs(60);

/// How long the browser may take to end.
const END: Duration = Duration::from_secs(10);

/// A browser with one tab. It ends when dropped.
#[derive(Debug)]
pub struct Browser {
    _driver: Child,
    port: u16,
    session: String,
}

impl Drop for Browser {
    /// The driver ends the browser when the session does, and leaves it behind when it is killed itself.
    fn drop(&mut self) {
        let ended = || -> std::io::Result<usize> {
            let mut driver = TcpStream::connect(("127.0.0.1", self.port))?;
            driver.set_read_timeout(Some(END))?;
            let path = format!("/session/{}", self.session);
            write!(driver, "DELETE {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
            driver.read_to_end(&mut Vec::new())
        };
        let _ = ended();
    }
}

impl Browser {
    /// Starts one; none, and the test says that it was skipped, where none is installed.
    ///
    /// # Panics
    /// When it does not start, or with `REQUIRE_ALL=1` is not installed.
    pub async fn start(test: &str) -> Option<Self> {
        if works("chromedriver", &["--version"]) && works("chromium", &["--version"]) {
            return Some(Self::open().await.expect("an installed browser starts"));
        }
        skip(test, "chromium and chromedriver (Debian: chromium-driver) are not on the PATH");
        None
    }

    async fn open() -> anyhow::Result<Self> {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let mut lines = BufReader::new(driver.stdout.take().context("stdout is piped")?).lines();
        let port = async {
            while let Some(line) = lines.next_line().await? {
                if let Some((_, port)) = line.rsplit_once("on port ").filter(|_| line.contains("started")) {
                    return Ok(port.trim_end_matches('.').parse::<u16>()?);
                }
            }
            anyhow::bail!("chromedriver ended before it said its port")
        };
        let port = tokio::time::timeout(START, port).await??;
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        // Root has no sandbox, and /dev/shm is small in a container.
        let arguments = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"];
        let wanted = json!({"browserName": "chrome", "goog:chromeOptions": {"args": arguments}});
        let server = format!("http://127.0.0.1:{port}");
        let body = json!({"capabilities": {"alwaysMatch": wanted}});
        let answer = post(&format!("{server}/session"), &body).await?;
        let id = answer["value"]["sessionId"].as_str().context("a session has an id")?;
        Ok(Self { session: id.to_owned(), port, _driver: driver })
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/session/{}/{path}", self.port, self.session)
    }

    /// Goes to an address.
    ///
    /// # Errors
    /// When it can't be loaded.
    pub async fn go_to(&self, url: &str) -> anyhow::Result<()> {
        post(&self.url("url"), &json!({"url": url})).await?;
        Ok(())
    }

    /// Waits until the page shows a text.
    ///
    /// # Panics
    /// When it does not in a minute.
    pub async fn shows(&self, text: &str) {
        eventually(&format!("{text:?} on the page"), || async {
            let shown = self.text().await?;
            if shown.contains(text) { Ok(()) } else { Err(shown) }
        })
        .await;
    }

    /// What the page shows now.
    ///
    /// # Errors
    /// What the driver says.
    pub async fn text(&self) -> Result<String, String> {
        let body = self.find("//body").await?;
        let shown = self.ask(Method::GET, &self.url(&format!("element/{body}/text")), None).await?;
        Ok(shown.as_str().unwrap_or_default().to_owned())
    }

    /// Clicks what an XPath finds, once it is there.
    ///
    /// # Panics
    /// When it is not there in a minute.
    pub async fn click(&self, path: &str) {
        self.with(path, "click", json!({})).await;
    }

    /// Types into what an XPath finds, once it is there.
    ///
    /// # Panics
    /// When it is not there in a minute.
    pub async fn type_into(&self, path: &str, text: &str) {
        self.with(path, "value", json!({"text": text})).await;
    }

    /// Says yes to the question that the page asks.
    ///
    /// # Panics
    /// When it asks none in a minute.
    pub async fn accept(&self) {
        let url = self.url("alert/accept");
        eventually("a question", || self.ask(Method::POST, &url, Some(json!({})))).await;
    }

    async fn with(&self, path: &str, what: &str, body: Value) {
        eventually(&format!("{path} to {what}"), || async {
            let element = self.find(path).await?;
            let url = self.url(&format!("element/{element}/{what}"));
            self.ask(Method::POST, &url, Some(body.clone())).await
        })
        .await;
    }

    async fn find(&self, path: &str) -> Result<String, String> {
        let url = self.url("element");
        let found = self.ask(Method::POST, &url, Some(json!({"using": "xpath", "value": path}))).await?;
        let id = found.as_object().and_then(|element| element.values().next()?.as_str());
        id.map(str::to_owned).ok_or_else(|| found.to_string())
    }

    async fn ask(&self, method: Method, url: &str, body: Option<Value>) -> Result<Value, String> {
        let answer = call(method, url, &[], body.as_ref()).await;
        let (status, mut answer) = answer.map_err(|error| error.to_string())?;
        if status.is_success() { Ok(answer["value"].take()) } else { Err(answer.to_string()) }
    }
}
