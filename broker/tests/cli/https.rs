//! Asking over HTTPS: whom a command trusts. The server here says the same to all.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivatePkcs8KeyDer},
};

use crate::broker::{Ended, ended, program};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\nconnection: close\r\n\r\n{\"items\":[]}";

/// A server with a certificate that nobody knows, which is in its folder; its URL.
async fn serving(folder: &Path) -> (String, PathBuf) {
    serving_as(IsCa::ExplicitNoCa, ANSWER, folder).await
}

async fn serving_as(is_ca: IsCa, answer: &'static [u8], folder: &Path) -> (String, PathBuf) {
    let mut made = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    made.is_ca = is_ca;
    let signing_key = KeyPair::generate().unwrap();
    let cert = made.self_signed(&signing_key).unwrap();
    let authority = folder.join("ca.pem");
    std::fs::write(&authority, cert.pem()).unwrap();
    let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der()).into();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            // A client that does not trust it hangs up.
            let Ok(mut connection) = acceptor.accept(connection).await else { continue };
            let _ = connection.read(&mut [0; 4096]).await.unwrap();
            connection.write_all(answer).await.unwrap();
            connection.shutdown().await.unwrap();
        }
    });
    (url, authority)
}

async fn run(arguments: Vec<String>) -> Ended {
    let run = move || ended(program(&arguments.iter().map(String::as_str).collect::<Vec<_>>()));
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn queues(url: String, authorities: Option<&Path>) -> Vec<String> {
    let mut arguments = vec!["queues".to_owned(), "--json".to_owned(), "--url".to_owned(), url];
    arguments.extend(authorities.map(|path| format!("--ca={}", path.display())));
    arguments
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_is_asked_over_https_where_its_authority_is_named() {
    let folder = TempDir::new().unwrap();
    let (url, authority) = serving(folder.path()).await;
    assert_eq!(run(queues(url, Some(&authority))).await.ok(), "{\"items\":[]}\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_nobody_vouches_for_is_not_asked() {
    let folder = TempDir::new().unwrap();
    let (url, _) = serving(folder.path()).await;
    let told = run(queues(url, None)).await;
    told.failed(1, "invalid peer certificate");
    told.failed(1, "--ca or BROKER_CA names the authority to trust");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_brokers_certificate_that_is_an_authoritys_is_said_to_be() {
    let folder = TempDir::new().unwrap();
    let is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let (url, authority) = serving_as(is_ca, ANSWER, folder.path()).await;
    run(queues(url, Some(&authority)))
        .await
        .failed(1, "made with -addext basicConstraints=critical,CA:FALSE");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_answers_over_tls_with_no_http_is_not_said_to_want_https() {
    let folder = TempDir::new().unwrap();
    let (url, authority) = serving_as(IsCa::ExplicitNoCa, b"220 mail ready\r\n", folder.path()).await;
    let told = run(queues(url, Some(&authority))).await;
    told.failed(1, "speaks TLS, but no HTTP");
    assert!(!told.stderr.contains("its URL begins with"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_a_certificate_is_refused() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("empty.pem");
    let url = || "https://127.0.0.1:1".to_owned();
    run(queues(url(), Some(&file))).await.failed(1, "can't use");
    std::fs::write(&file, "nothing").unwrap();
    run(queues(url(), Some(&file))).await.failed(1, "it has no certificate in PEM in it");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_is_read_where_nobody_has_to_be_trusted_too() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("empty.pem");
    let url = || "http://127.0.0.1:1".to_owned();
    run(queues(url(), Some(&file))).await.failed(1, "can't use");
    std::fs::write(&file, "nothing").unwrap();
    run(queues(url(), Some(&file))).await.failed(1, "it has no certificate in PEM in it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_serves_https_is_not_asked_over_plain_http() {
    let folder = TempDir::new().unwrap();
    let (url, _) = serving(folder.path()).await;
    let told = run(queues(url.replace("https://", "http://"), None)).await;
    told.failed(1, "where it serves HTTPS, its URL begins with https://");
    assert!(!told.stderr.contains("Is it running?"), "{told:?}");
}
