//! How much a backup or a restore has put in place.

use std::{fs, io, path::Path};

use serde::Serialize;

use super::{MaintenanceError, files};
use crate::{auth::tokens, store::sqlite};

/// The files that were put in place, and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Copied {
    /// How many there are: the database, and the tokens where there are any.
    pub files: u64,
    /// How many bytes they have together.
    pub bytes: u64,
}

impl Copied {
    /// What is in a folder that was written, before anybody else uses it.
    pub(super) fn in_folder(folder: &Path) -> Result<Self, MaintenanceError> {
        let mut copied = Self::default();
        for path in [sqlite::FILE, tokens::FILE].map(|name| folder.join(name)) {
            match fs::metadata(&path) {
                Ok(file) => copied = Self { files: copied.files + 1, bytes: copied.bytes + file.len() },
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(files("read", &path)(error)),
            }
        }
        Ok(copied)
    }
}
