//! The data folder: made where it is missing, for its owner alone, and used by one process at a time.

use std::{
    fs::{self, DirBuilder, File, Metadata, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use super::StoreError;

/// The file that a data folder is locked by.
pub(crate) const LOCK: &str = "lock";

/// A data folder that this process holds. Dropping it lets it go; so does the end of the process.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Makes the folder where it is missing, with mode 0700 as each that it is in, and locks it. One that is
    /// there keeps its mode.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process holds it; [`StoreError::Files`] when it can't be made
    /// or written.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |what: &str| {
            let what = format!("can't {what} {}", path.display());
            move |source: io::Error| StoreError::Files { what, source }
        };
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(failed("make the data folder"))?;
        let mut options = File::options();
        let lock = options.create(true).truncate(false).write(true).mode(0o600).open(path.join(LOCK));
        let lock = lock.map_err(failed("write to the data folder"))?;
        match lock.try_lock() {
            // Whoever held it may have removed the file: then a lock on it keeps nobody out.
            Ok(()) if !is_at(&lock, &path.join(LOCK)) => Err(StoreError::InUse(path.display().to_string())),
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse(path.display().to_string())),
            Err(TryLockError::Error(source)) => Err(failed("lock the data folder")(source)),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes this process may still write there.
    ///
    /// # Errors
    /// [`StoreError::Files`] when the system does not say.
    pub fn free_space(&self) -> Result<u64, StoreError> {
        let asked = rustix::fs::statvfs(&self.path);
        let room = asked.map_err(|error| StoreError::Files {
            what: format!("can't ask for the free space of {}", self.path.display()),
            source: error.into(),
        })?;
        Ok(room.f_bavail.saturating_mul(room.f_frsize))
    }
}

/// Whether a file that is open is the one that has that name.
fn is_at(file: &File, path: &Path) -> bool {
    let place = |of: Metadata| (of.dev(), of.ino());
    let opened = file.metadata().map(place);
    opened.is_ok_and(|opened| fs::metadata(path).map(place).is_ok_and(|named| named == opened))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_held_by_one_at_a_time() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b");
        let folder = DataFolder::open(&path).unwrap();
        let second = DataFolder::open(&path).unwrap_err();
        assert!(second.to_string().contains("in use by another process"), "{second}");
        assert!(folder.free_space().unwrap() > 0);
        drop(folder);
        DataFolder::open(&path).unwrap();
    }

    #[test]
    fn a_lock_on_a_file_that_was_removed_is_told_from_one_on_that_which_is_there() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join(LOCK);
        let removed = File::create(&path).unwrap();
        assert!(is_at(&removed, &path));
        fs::remove_file(&path).unwrap();
        assert!(!is_at(&removed, &path), "there is none");
        File::create(&path).unwrap();
        assert!(!is_at(&removed, &path), "it is another");
    }
}
