//! What is done with a data folder from outside the broker that uses it: copied, put back, checked.

pub mod backup;
mod check;
mod copied;
mod missing;
mod place;
pub mod restore;

use std::{fs::File, io, path::Path};

pub use self::{check::check, copied::Copied};
use crate::store::{StoreError, verify::Report};

/// Why it was not done. The data in place is as it was; a restore that fails at its last step may leave a second
/// name of it, in the folder that it was to be set aside in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MaintenanceError {
    /// A backup never replaces anything.
    #[error("{0} exists already: name a folder that does not")]
    Exists(String),
    /// A backup that goes when the data goes is none.
    #[error(
        "{to} is inside the data folder {data}: whoever removes the data would remove its backup; name a folder \
         outside of it"
    )]
    Inside {
        /// Where the backup was to be.
        to: String,
        /// The data folder.
        data: String,
    },
    /// A restore would remove the backup before it has read it.
    #[error(
        "{0} is where a restore makes its copy, and would be removed first: move it, and restore from there"
    )]
    OwnCopy(String),
    /// There is no database in the folder.
    #[error("there is no broker's data in {0}")]
    NoData(String),
    /// A restore would replace what is there.
    #[error("{0} is not empty: with --force the broker's files in it are set aside")]
    NotEmpty(String),
    /// The backup is not what was once written.
    #[error("the backup has {}; with --allow-damaged it is restored as it is", .0.told())]
    Damaged(Box<Report>),
    /// The data can't be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl MaintenanceError {
    /// Whether the folders that were named are wrong for it, whatever is in them.
    #[must_use]
    pub const fn is_of_the_arguments(&self) -> bool {
        matches!(self, Self::Inside { .. } | Self::OwnCopy(_))
    }
}

/// Names what was to be done when the file system refuses.
fn files(what: &str, path: &Path) -> impl FnOnce(io::Error) -> MaintenanceError + use<> {
    let what = format!("can't {what} {}", path.display());
    move |source| StoreError::Files { what, source }.into()
}

fn sync_folder(path: &Path) -> Result<(), MaintenanceError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(files("sync", path))
}
