//! Putting a backup back: it is copied beside the data, brought to the present version, renumbered and checked,
//! and only then put in place. What was there is set aside, never deleted.
//!
//! Messages that were acked after the backup come again, and what was published after it is not there. No
//! receipt that was handed out after it acts on anything. `local.json` is of a run of the broker, not of its
//! data, and is neither backed up nor restored.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use units::Timestamp;

use super::{
    Copied, MaintenanceError, backup::copy_tokens, check, files, missing::Missing, place, sync_folder,
};
use crate::{
    auth::tokens,
    store::{
        Progress,
        folder::{self, DataFolder},
        sqlite,
        verify::Report,
    },
};

/// Where the copy is made ready, in the data folder, so that it is on the same file system.
const UNFINISHED: &str = "restoring";

/// What a restore may do.
#[derive(Clone, Copy, Debug, Default)]
pub struct RestoreSettings {
    /// Restore into a folder that is not empty: the broker's files in it are set aside.
    pub force: bool,
    /// Restore a backup that has faults. A damaged message becomes a dead letter when its turn comes.
    pub allow_damaged: bool,
}

/// What was restored.
#[derive(Clone, Debug)]
pub struct Restored {
    /// What was put in place.
    pub copied: Copied,
    /// What the check of it found.
    pub report: Report,
    /// Where what was there before is now.
    pub set_aside: Option<PathBuf>,
}

/// Puts a backup into a data folder, which is made where it is missing.
///
/// # Errors
/// What [`MaintenanceError`] lists; also when a broker uses the folder.
pub fn restore(
    from: &Path,
    data: &Path,
    settings: RestoreSettings,
    progress: Progress<'_>,
) -> Result<Restored, MaintenanceError> {
    if !sqlite::is_in(from) {
        return Err(MaintenanceError::NoData(from.display().to_string()));
    }
    refuse_own_copy(from, &data.join(UNFINISHED))?;
    let missing = Missing::of(data);
    let restored = DataFolder::open(data).map_err(MaintenanceError::from).and_then(|_held| {
        let restored = restore_held(from, data, settings, progress);
        restored.inspect_err(|_| missing.remove_lock())
    });
    restored.inspect_err(|_| missing.remove_folders())
}

/// The same, into a folder that this process holds.
fn restore_held(
    from: &Path,
    data: &Path,
    settings: RestoreSettings,
    progress: Progress<'_>,
) -> Result<Restored, MaintenanceError> {
    let occupied = is_occupied(data)?;
    if occupied && !settings.force {
        return Err(MaintenanceError::NotEmpty(data.display().to_string()));
    }
    let unfinished = data.join(UNFINISHED);
    let prepared = prepare(from, &unfinished, settings, progress);
    let restored = prepared.and_then(|report| {
        let copied = Copied::in_folder(&unfinished)?;
        let set_aside = occupied.then(|| set_aside(data)).transpose()?;
        put_in_place(&unfinished, data)?;
        Ok(Restored { copied, report, set_aside })
    });
    // Best effort: what is left over is removed by the next restore.
    let _ = fs::remove_dir_all(&unfinished);
    restored
}

/// Refuses what is removed before the copy is made. Elsewhere in the data folder a backup may be, as what an
/// earlier restore has set aside is: it is read, and stays.
fn refuse_own_copy(from: &Path, unfinished: &Path) -> Result<(), MaintenanceError> {
    let removed = place::of(unfinished).map_err(files("find", unfinished))?;
    if place::of(from).map_err(files("find", from))?.starts_with(removed) {
        return Err(MaintenanceError::OwnCopy(from.display().to_string()));
    }
    Ok(())
}

/// Whether there is anything but what opening the folder, or a restore that was cut short, leaves there.
fn is_occupied(data: &Path) -> Result<bool, MaintenanceError> {
    let entries = fs::read_dir(data).map_err(files("read", data))?;
    let names = entries.map(|entry| entry.map(|entry| entry.file_name()));
    let names: Vec<_> = names.collect::<Result<_, _>>().map_err(files("read", data))?;
    Ok(names.iter().any(|name| name != folder::LOCK && name != UNFINISHED))
}

/// Makes what will be the data, and checks it.
fn prepare(
    from: &Path,
    unfinished: &Path,
    settings: RestoreSettings,
    progress: Progress<'_>,
) -> Result<Report, MaintenanceError> {
    if unfinished.exists() {
        fs::remove_dir_all(unfinished).map_err(files("remove", unfinished))?;
    }
    make_folder(unfinished).map_err(files("make", unfinished))?;
    sqlite::copy(from, unfinished, progress)?;
    copy_tokens(from, unfinished)?;
    sqlite::renumber(unfinished, Timestamp::now())?;
    let report = check(unfinished, &mut |_, _| ())?;
    if report.is_clean() || settings.allow_damaged {
        Ok(report)
    } else {
        Err(MaintenanceError::Damaged(Box::new(report)))
    }
}

/// A folder for its owner alone.
fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// Gives the broker's files a second name in a folder of their own, so that at every moment there is a
/// database in place and the tokens that guard it, the old ones or the new.
fn set_aside(data: &Path) -> Result<PathBuf, MaintenanceError> {
    // One file then holds all of it. Where it is damaged that fails, and its log is set aside with it.
    let _ = sqlite::settle(data);
    let aside = data.join(format!("before-restore-{}", Timestamp::now().as_millis()));
    make_folder(&aside).map_err(files("make", &aside))?;
    for (name, moves) in
        [(sqlite::LOG, true), (sqlite::LOG_INDEX, true), (sqlite::FILE, false), (tokens::FILE, false)]
    {
        let (old, new) = (data.join(name), aside.join(name));
        if old.exists() {
            let kept = if moves { fs::rename(&old, &new) } else { fs::hard_link(&old, &new) };
            kept.map_err(files("set aside", &old))?;
        }
    }
    sync_folder(&aside)?;
    sync_folder(data)?;
    Ok(aside)
}

/// Tokens go first and come off last, so that a restore that is cut short opens the broker to nobody.
fn put_in_place(unfinished: &Path, data: &Path) -> Result<(), MaintenanceError> {
    let has_tokens = unfinished.join(tokens::FILE).exists();
    for name in [tokens::FILE, sqlite::FILE] {
        let (new, place) = (unfinished.join(name), data.join(name));
        if new.exists() {
            fs::rename(&new, &place).map_err(files("write", &place))?;
        }
    }
    sync_folder(data)?;
    let old = data.join(tokens::FILE);
    if !has_tokens && old.exists() {
        fs::remove_file(&old).map_err(files("remove", &old))?;
    }
    sync_folder(data)
}
