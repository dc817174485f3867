//! What a broker needs to know to run.

use std::path::PathBuf;

use serve::{http, tls::TlsFiles};

use crate::{api, engine::EngineSettings};

/// The settings of one broker.
#[derive(Clone, Debug)]
pub struct Config {
    /// The data folder; made where it is missing.
    pub data: PathBuf,
    /// Whether others than this machine may be served although there are no tokens.
    pub allow_anonymous: bool,
    /// The certificate and key that it is served under; without them it speaks plain HTTP.
    pub tls: Option<TlsFiles>,
    /// The limits of connections and requests.
    pub http: http::Limits,
    /// The limits of bodies.
    pub api: api::Limits,
    /// The bounds of what waits, of groups, and of the disk.
    pub engine: EngineSettings,
}

impl Config {
    /// The defaults, on that data folder.
    #[must_use]
    pub fn new(data: impl Into<PathBuf>) -> Self {
        let api = api::Limits::default();
        Self {
            data: data.into(),
            allow_anonymous: false,
            tls: None,
            http: http::Limits { body: api.request, ..http::Limits::default() },
            api,
            engine: EngineSettings::default(),
        }
    }
}
