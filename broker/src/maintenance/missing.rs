//! What is not there before something is made, so that it can go again where that is refused.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::place;
use crate::store::folder;

/// A folder that is to be made, and those that it is in, as far as they are missing.
pub(super) struct Missing {
    /// Innermost first.
    folders: Vec<PathBuf>,
    /// The file that the innermost is locked by.
    lock: Option<PathBuf>,
}

impl Missing {
    /// What is missing of a folder now.
    pub(super) fn of(folder: &Path) -> Self {
        // A name may lead to what is there through a folder that is not: `missing/../there`.
        let leads_to_nothing = |place: PathBuf| place.symlink_metadata().is_err();
        let is_missing = |path: &&Path| place::of(path).is_ok_and(leads_to_nothing);
        let named = folder.ancestors().filter(|path| !path.as_os_str().is_empty());
        let lock = folder.join(folder::LOCK);
        Self {
            folders: named.filter(is_missing).map(Path::to_owned).collect(),
            lock: is_missing(&lock.as_path()).then_some(lock),
        }
    }

    /// Removes the file that the folder is locked by, where it was missing. Only for whoever holds the lock.
    pub(super) fn remove_lock(&self) {
        if let Some(lock) = &self.lock {
            // Best effort: it is empty, and the next one takes it.
            let _ = fs::remove_file(lock);
        }
    }

    /// Removes what was missing and is empty.
    pub(super) fn remove_folders(&self) {
        for folder in &self.folders {
            // Best effort: one that somebody else uses meanwhile is not empty, and stays.
            let _ = fs::remove_dir(folder);
        }
    }
}
