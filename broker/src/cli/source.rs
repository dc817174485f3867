//! Telling messages of one id apart.

use clap::Args;
use url::Url;

/// Which of the messages that share an id.
#[derive(Args, Debug)]
pub(super) struct BySource {
    /// Only of this source, where messages of several have the id
    #[arg(long, value_name = "SOURCE")]
    source: Option<String>,
}

impl BySource {
    /// Narrows a call down.
    pub(super) fn narrow(&self, mut url: Url) -> Url {
        if let Some(source) = &self.source {
            url.query_pairs_mut().append_pair("source", source);
        }
        url
    }
}
