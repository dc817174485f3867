//! TLS: HTTPS from PEM files, HTTP/1.1 and HTTP/2, files that change, files that are wrong.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use broker::config::Config;
use http_body_util::{BodyExt as _, Empty};
use hyper::{Request, body::Bytes, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use serve::{program::Ready, tls::TlsFiles};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::CertificateDer},
};
use tokio_util::sync::CancellationToken;

use super::server::Server;

/// Longer than anything here takes on a busy machine; reached only by a failure.
const LONG: Duration = Duration::from_secs(20);
const HEALTH: &str = "GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

/// A certificate for localhost and its key, as a client and a server need them.
struct Certified {
    der: CertificateDer<'static>,
    certificate: String,
    key: String,
}

impl Certified {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        Self {
            der: made.cert.der().clone(),
            certificate: made.cert.pem(),
            key: made.signing_key.serialize_pem(),
        }
    }

    fn write(&self, files: &TlsFiles) {
        fs::write(&files.certificate, &self.certificate).unwrap();
        fs::write(&files.key, &self.key).unwrap();
    }

    /// A connection on which only this certificate is trusted.
    async fn connect(&self, address: &str, alpn: &str) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
        let stream = TcpStream::connect(address).await?;
        TlsConnector::from(Arc::new(config)).connect("localhost".try_into().unwrap(), stream).await
    }
}

fn files(folder: &Path) -> TlsFiles {
    TlsFiles { certificate: folder.join("cert.pem"), key: folder.join("key.pem") }
}

async fn started(certified: &Certified, configure: impl FnOnce(&mut Config)) -> Server {
    let folder = TempDir::new().unwrap();
    let files = files(folder.path());
    certified.write(&files);
    Server::start_on("127.0.0.1:0", folder, |config| {
        config.tls = Some(files);
        configure(config);
    })
    .await
}

async fn answer(mut stream: TlsStream<TcpStream>) -> String {
    stream.write_all(HEALTH.as_bytes()).await.unwrap();
    let mut text = String::new();
    timeout(LONG, stream.read_to_string(&mut text)).await.unwrap().unwrap();
    text
}

#[tokio::test]
async fn it_speaks_http_1_and_http_2_as_the_client_asks() {
    let certified = Certified::new();
    let server = started(&certified, |_| ()).await;
    let stream = certified.connect(&server.address, "http/1.1").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    assert!(answer(stream).await.starts_with("HTTP/1.1 200"));

    let stream = certified.connect(&server.address, "h2").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get("https://localhost/healthz").body(Empty::<Bytes>::new()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["status"], "ok");
}

#[tokio::test]
async fn who_speaks_plain_http_is_closed_and_others_are_served_all_the_same() {
    let certified = Certified::new();
    let server = started(&certified, |_| ()).await;
    let mut plain = TcpStream::connect(&server.address).await.unwrap();
    plain.write_all(HEALTH.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    // A reset is an end too.
    let _ = timeout(LONG, plain.read_to_end(&mut bytes)).await.expect("it is closed in time");
    assert!(!bytes.starts_with(b"HTTP"), "it answered in plain text");
    let stream = certified.connect(&server.address, "http/1.1").await.unwrap();
    assert!(answer(stream).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn who_never_agrees_on_keys_keeps_nobody_waiting_and_is_closed() {
    let certified = Certified::new();
    let server = started(&certified, |config| config.http.idle_time = Duration::from_millis(500)).await;
    let mut silent = TcpStream::connect(&server.address).await.unwrap();
    let stream = certified.connect(&server.address, "http/1.1").await.unwrap();
    assert!(answer(stream).await.starts_with("HTTP/1.1 200"));
    let mut bytes = Vec::new();
    let _ = timeout(LONG, silent.read_to_end(&mut bytes)).await.expect("it is closed in time");
}

#[tokio::test]
async fn files_that_change_are_taken_up_while_it_runs() {
    let (old, new) = (Certified::new(), Certified::new());
    let server = started(&old, |_| ()).await;
    let open = old.connect(&server.address, "http/1.1").await.unwrap();
    new.write(&files(server.folder()));
    let taken_up = async {
        loop {
            if let Ok(stream) = new.connect(&server.address, "http/1.1").await {
                return stream;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let stream = timeout(LONG, taken_up).await.expect("the new certificate is used in time");
    assert!(answer(stream).await.starts_with("HTTP/1.1 200"));
    assert!(old.connect(&server.address, "http/1.1").await.is_err());
    assert!(answer(open).await.starts_with("HTTP/1.1 200"), "open connections go on");
}

/// Why a broker with those files does not start.
async fn refused(files: TlsFiles) -> String {
    let folder = TempDir::new().unwrap();
    let mut config = Config::new(folder.path());
    config.tls = Some(files);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let run = broker::run(listener, config, Ready::new(), CancellationToken::new());
    format!("{:#}", timeout(LONG, run).await.unwrap().unwrap_err())
}

#[tokio::test]
async fn a_file_that_is_wrong_is_named_at_the_start() {
    let folder = TempDir::new().unwrap();
    let files = files(folder.path());
    let (one, other) = (Certified::new(), Certified::new());

    one.write(&files);
    fs::remove_file(&files.key).unwrap();
    let said = refused(files.clone()).await;
    assert!(said.contains("key.pem") && said.contains("No such file"), "{said}");

    one.write(&files);
    fs::write(&files.certificate, &one.key).unwrap();
    let said = refused(files.clone()).await;
    assert!(said.contains("cert.pem holds no certificate"), "{said}");

    one.write(&files);
    fs::write(&files.key, &one.certificate).unwrap();
    let said = refused(files.clone()).await;
    assert!(said.contains("key.pem holds no private key"), "{said}");

    one.write(&files);
    fs::write(&files.key, &other.key).unwrap();
    let said = refused(files.clone()).await;
    assert!(said.contains("cert.pem") && said.contains("key.pem"), "{said}");
    assert!(said.contains("can't be used together"), "{said}");
}

#[tokio::test]
async fn the_program_prints_and_writes_down_that_it_speaks_https() {
    let folder = TempDir::new().unwrap();
    let files = files(folder.path());
    Certified::new().write(&files);
    let mut program = Command::new(env!("CARGO_BIN_EXE_broker"))
        .args(["--listen", "127.0.0.1:0", "--log", "off", "--data"])
        .arg(folder.path().join("data"))
        .env("TLS_CERT", &files.certificate)
        .env("TLS_KEY", &files.key)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(program.stdout.take().unwrap()).lines();
    let line = told.next().unwrap().unwrap();
    let local = broker::auth::local::read(&folder.path().join("data")).unwrap().unwrap();
    program.kill().unwrap();
    program.wait().unwrap();
    assert_eq!(line, format!("broker {}", local.url));
    assert!(local.url.starts_with("https://127.0.0.1:"), "{line}");
}
