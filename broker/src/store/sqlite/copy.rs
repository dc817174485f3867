//! Copying a database that a broker may be using: the copy is the database as it was at one moment, in one file
//! that is on disk when the copying ends.

use std::{fs::File, path::Path, thread, time::Duration};

use rusqlite::{
    Connection,
    backup::{Backup, StepResult},
};

use super::{
    FILE,
    connection::{self, Place},
    file_system::make_private,
};
use crate::store::{Progress, StoreError};

/// How many pages of 4 KiB are copied at a time: 4 MiB.
const PAGES_AT_ONCE: i32 = 1024;
/// How long to wait where SQLite can't go on at once.
const PAUSE: Duration = Duration::from_millis(10);

/// Copies the database in one folder into another folder, which has none. Tells how many of how many pages are
/// copied.
///
/// # Errors
/// When there is none, when it is empty or another program's, when a newer version wrote it, and what SQLite and the file system say.
pub fn copy(from: &Path, to: &Path, progress: Progress<'_>) -> Result<(), StoreError> {
    // The moment that this connection sees lasts as long as it does. Without it, SQLite would begin again
    // whenever the broker commits.
    let source = connection::open_moment(&Place::of_file(&from.join(FILE)))?;
    let path = to.join(FILE);
    let failed = |what: &str| {
        let what = format!("can't {what} {}", path.display());
        move |source| StoreError::Files { what, source }
    };
    make_private(&path).map_err(failed("make"))?;
    let mut target = Connection::open(&path)?;
    target.pragma_update(None, "synchronous", "FULL")?;
    copy_pages(&source, &mut target, progress)?;
    // The log of the source is not copied, so the copy must not say that it has one.
    target.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))?;
    target.close().map_err(|(_, error)| error)?;
    let synced = File::open(&path).and_then(|file| file.sync_all());
    synced.map_err(failed("sync"))
}

fn copy_pages(
    source: &Connection,
    target: &mut Connection,
    progress: Progress<'_>,
) -> Result<(), StoreError> {
    let backup = Backup::new(source, target)?;
    loop {
        let step = backup.step(PAGES_AT_ONCE)?;
        let (left, all) = (backup.progress().remaining, backup.progress().pagecount);
        progress(u64::from((all - left).unsigned_abs()), u64::from(all.unsigned_abs()));
        match step {
            StepResult::Done => return Ok(()),
            StepResult::Busy | StepResult::Locked => thread::sleep(PAUSE),
            _ => {}
        }
    }
}
