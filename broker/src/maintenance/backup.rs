//! Taking a backup: the database as it is at one moment, while a broker uses it, and the tokens. A backup is a
//! folder of the same files, and can be checked like one.

use std::{
    ffi::OsString,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use super::{Copied, MaintenanceError, files, missing::Missing, place, sync_folder};
use crate::{
    auth::{file, tokens},
    store::{Progress, sqlite},
};

/// Copies what is in a data folder into a new folder. It is there whole and on disk, or not at all.
///
/// # Errors
/// What [`MaintenanceError`] lists.
pub fn backup(data: &Path, to: &Path, progress: Progress<'_>) -> Result<Copied, MaintenanceError> {
    if !sqlite::is_in(data) {
        return Err(MaintenanceError::NoData(data.display().to_string()));
    }
    refuse_inside(data, to)?;
    if to.symlink_metadata().is_ok() {
        return Err(MaintenanceError::Exists(to.display().to_string()));
    }
    let (unfinished, missing) = (beside(to), Missing::of(to));
    let written = write(data, &unfinished, progress);
    let done = written.and_then(|copied| {
        fs::rename(&unfinished, to).map_err(files("make", to))?;
        Ok(copied)
    });
    if done.is_err() {
        // Best effort: its name says what it is.
        let _ = fs::remove_dir_all(&unfinished);
        missing.remove_folders();
    }
    let copied = done?;
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty());
    sync_folder(parent.unwrap_or(Path::new(".")))?;
    Ok(copied)
}

/// Refuses a backup that would go with the data; the data folder itself is one that exists already.
fn refuse_inside(data: &Path, to: &Path) -> Result<(), MaintenanceError> {
    let outer = place::of(data).map_err(files("find", data))?;
    let inner = place::of(to).map_err(files("find", to))?;
    if inner != outer && inner.starts_with(outer) {
        let (to, data) = (to.display().to_string(), data.display().to_string());
        return Err(MaintenanceError::Inside { to, data });
    }
    Ok(())
}

/// Where it is written before it is whole.
fn beside(to: &Path) -> PathBuf {
    let mut name = to.file_name().map(OsString::from).unwrap_or_default();
    name.push(format!(".unfinished-{}", std::process::id()));
    to.with_file_name(name)
}

fn write(data: &Path, to: &Path, progress: Progress<'_>) -> Result<Copied, MaintenanceError> {
    fs::create_dir_all(to).map_err(files("make", to))?;
    // Messages are nobody else's business.
    fs::set_permissions(to, Permissions::from_mode(0o700)).map_err(files("make", to))?;
    sqlite::copy(data, to, progress)?;
    copy_tokens(data, to)?;
    sync_folder(to)?;
    Copied::in_folder(to)
}

/// Copies the tokens, where there are any; on return they are on disk.
pub(super) fn copy_tokens(from: &Path, to: &Path) -> Result<(), MaintenanceError> {
    let (from, to) = (from.join(tokens::FILE), to.join(tokens::FILE));
    if !from.exists() {
        return Ok(());
    }
    let tokens = fs::read(&from).map_err(files("read", &from))?;
    file::replace(&to, &tokens).map_err(files("write", &to))
}
