//! Whom to trust when the broker is asked over HTTPS.

use std::{path::Path, sync::Arc};

use anyhow::Context as _;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};

/// TLS that trusts the authorities of a file, else those that the system trusts.
///
/// # Errors
/// When the file can't be read or has none in it.
pub(super) fn tls(authorities: Option<&Path>) -> anyhow::Result<ClientConfig> {
    let roots = match authorities {
        Some(path) => of_file(path).with_context(|| format!("can't use {}", path.display()))?,
        None => of_system(),
    };
    Ok(config(roots))
}

/// TLS that trusts nobody: for a connection that has none.
pub(super) fn none() -> ClientConfig {
    config(RootCertStore::empty())
}

fn config(roots: RootCertStore) -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider knows both versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

fn of_file(path: &Path) -> anyhow::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path)? {
        roots.add(certificate?)?;
    }
    anyhow::ensure!(!roots.is_empty(), "it has no certificate in PEM in it");
    Ok(roots)
}

fn of_system() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    // One that can't be read is one that is not trusted.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}
