//! One pipeline a data folder: a lock that ends with the process, however it ends.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use anyhow::{Context, bail};

/// Holds a data folder for this process.
#[derive(Debug)]
pub(super) struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the folder, and makes it where there is none. Fails at once when another process has it.
    pub(super) fn take(folder: &Path) -> anyhow::Result<Self> {
        serve::program::make_folder(folder)?;
        let path = folder.join("pipeline.lock");
        let file = File::create(&path).with_context(|| format!("can't open {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => {
                bail!("the data folder {} is in use by another pipeline", folder.display())
            }
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("can't lock {}", path.display()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_held_is_refused_until_it_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let held = FolderLock::take(folder.path()).unwrap();
        assert!(FolderLock::take(folder.path()).unwrap_err().to_string().contains("in use"));
        drop(held);
        FolderLock::take(folder.path()).unwrap();
    }
}
