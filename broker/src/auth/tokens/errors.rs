//! Why tokens could not be read or changed.

use std::{io, path::Path};

use broker_core::identity::Name;

use super::{FILE, MOST_GRANTS};

/// Why a call on [`Tokens`](super::Tokens) failed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokensError {
    /// There is a token of that name.
    #[error("there is a token {0} already")]
    Exists(Name),
    /// There is no token of that name.
    #[error("there is no token {0}")]
    NotFound(Name),
    /// A name that stands for something else.
    #[error("{0} is not a token's name here: it stands for callers without one of these tokens")]
    Reserved(Name),
    /// A token must allow something.
    #[error("a token allows at least one thing, such as publish:orders or admin:*")]
    AllowsNothing,
    /// A token that allows too many things.
    #[error("a token allows at most {MOST_GRANTS} things")]
    TooManyGrants,
    /// The last one of a broker that must not be open to all.
    #[error("{0} is the last token, and without one everybody who reaches this broker could do everything")]
    LastOfAll(Name),
    /// The file is not what this version writes.
    #[error("{path} is not a file of tokens that this version reads: {detail}")]
    Unreadable {
        /// Which file.
        path: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The file could not be read or written, or there was no randomness for a new token.
    #[error("{what}")]
    File {
        /// What could not be done.
        what: String,
        /// Why.
        source: io::Error,
    },
}

impl TokensError {
    pub(super) fn not_read(path: &Path, source: io::Error) -> Self {
        Self::File { what: format!("can't read {}", path.display()), source }
    }

    pub(super) fn not_written(path: &Path, source: io::Error) -> Self {
        Self::File { what: format!("can't write {}", path.display()), source }
    }

    pub(super) fn no_randomness(source: io::Error) -> Self {
        Self::File { what: "the operating system gives no random bytes".to_owned(), source }
    }

    /// What it says, but for the folder that the file is in.
    pub(crate) fn without_folder(mut self) -> String {
        if let Self::Unreadable { path, .. } = &mut self {
            FILE.clone_into(path);
        }
        self.to_string()
    }

    /// Whether the disk is full.
    pub(crate) fn is_full_disk(&self) -> bool {
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
        matches!(self, Self::File { source, .. } if full.contains(&source.kind()))
    }
}
