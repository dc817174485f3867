//! How connections to the broker are made: plain, or over TLS by rustls with ring.

use std::{io, sync::Arc, time::Duration};

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

/// How long to wait for a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// How often a connection on which nothing is sent is tried.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub(super) type Connector = HttpsConnector<HttpConnector>;

/// A connector for URLs of that scheme. Only `https` reads which authorities the system trusts.
///
/// # Errors
/// When none can be read.
pub(super) fn connector(scheme: &str) -> io::Result<Connector> {
    let provider = ring::default_provider();
    let builder = HttpsConnectorBuilder::new();
    let builder = if scheme == "https" {
        builder.with_provider_and_native_roots(provider)?
    } else {
        let config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?;
        let nobody = RootCertStore::empty();
        builder.with_tls_config(config.with_root_certificates(nobody).with_no_client_auth())
    };
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_keepalive(Some(KEEP_ALIVE));
    http.set_connect_timeout(Some(CONNECT_LIMIT));
    Ok(builder.https_or_http().enable_http1().wrap_connector(http))
}
