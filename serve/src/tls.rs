//! TLS from PEM files, taken up again when the files change. No C library: rustls with ring.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
};
use tokio_util::sync::CancellationToken;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Where a certificate and its key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, in PEM, with those between it and its authority behind it.
    pub certificate: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
}

/// Why TLS can't be had from those files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// One of them can't be read.
    #[error("can't read {}", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The one holds no certificate.
    #[error("{} holds no certificate in PEM (-----BEGIN CERTIFICATE-----)", .0.display())]
    NoCertificate(PathBuf),
    /// The other holds no key.
    #[error("{} holds no private key in PEM (-----BEGIN PRIVATE KEY-----)", .0.display())]
    NoKey(PathBuf),
    /// They do not go together.
    #[error("the certificate in {} and the key in {} can't be used together: {detail}", .files.certificate.display(), .files.key.display())]
    Unusable {
        /// Which.
        files: TlsFiles,
        /// Why.
        detail: String,
    },
}

/// A server's side of TLS; clones share it.
#[derive(Clone)]
pub struct Tls {
    files: TlsFiles,
    current: Arc<RwLock<Arc<ServerConfig>>>,
    seen: Contents,
}

/// The bytes of both files.
#[derive(Clone, PartialEq, Eq)]
struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Tls {
    /// TLS with the certificate and key of those files.
    ///
    /// # Errors
    /// [`TlsError`] names the file at fault.
    pub async fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let seen = Contents::read(&files).await?;
        let current = Arc::new(RwLock::new(Arc::new(seen.config(&files)?)));
        Ok(Self { files, current, seen })
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Takes the files up whenever they have changed. While they do not go together, as between the writing
    /// of the one and the other, what was used before goes on.
    pub(crate) async fn reload_on_change(mut self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_some() {
            match Contents::read(&self.files).await {
                Ok(contents) if contents != self.seen => self.take_up(contents),
                Ok(_) => {}
                Err(error) => tracing::debug!(error = %error, "tls_files_unreadable"),
            }
        }
    }

    fn take_up(&mut self, contents: Contents) {
        match contents.config(&self.files) {
            Ok(config) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
                tracing::info!(certificate = %self.files.certificate.display(), "tls_certificate_reloaded");
            }
            Err(error) => tracing::warn!(error = %error, "the certificate that was used before goes on"),
        }
        self.seen = contents;
    }
}

impl Contents {
    async fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        Ok(Self { certificate: read(&files.certificate).await?, key: read(&files.key).await? })
    }

    fn config(&self, files: &TlsFiles) -> Result<ServerConfig, TlsError> {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.certificate).collect();
        let certificates = certificates.ok().filter(|certificates| !certificates.is_empty());
        let certificates = certificates.ok_or_else(|| TlsError::NoCertificate(files.certificate.clone()))?;
        let key = PrivateKeyDer::from_pem_slice(&self.key);
        let key = key.map_err(|_| TlsError::NoKey(files.key.clone()))?;
        let unusable = |error: tokio_rustls::rustls::Error| TlsError::Unusable {
            files: files.clone(),
            detail: error.to_string(),
        };
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .map_err(unusable)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

async fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    tokio::fs::read(path).await.map_err(|source| TlsError::Unreadable { path: path.to_owned(), source })
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Pair {
        certificate: String,
        key: String,
    }

    fn pair() -> Pair {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        Pair { certificate: made.cert.pem(), key: made.signing_key.serialize_pem() }
    }

    #[tokio::test]
    async fn between_the_writing_of_the_one_file_and_the_other_the_old_ones_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let files = TlsFiles { certificate: folder.path().join("c"), key: folder.path().join("k") };
        let (old, new) = (pair(), pair());
        std::fs::write(&files.certificate, &old.certificate).unwrap();
        std::fs::write(&files.key, &old.key).unwrap();
        let mut tls = Tls::load(files.clone()).await.unwrap();
        let before = Arc::clone(&tls.current.read().unwrap());

        std::fs::write(&files.certificate, &new.certificate).unwrap();
        tls.take_up(Contents::read(&files).await.unwrap());
        assert!(Arc::ptr_eq(&before, &tls.current.read().unwrap()));
        std::fs::write(&files.key, &new.key).unwrap();
        tls.take_up(Contents::read(&files).await.unwrap());
        assert!(!Arc::ptr_eq(&before, &tls.current.read().unwrap()));
    }
}
