//! Checking a data folder: its database, and the tokens that guard it.

use std::path::Path;

use super::MaintenanceError;
use crate::{
    auth::tokens,
    store::{
        Progress, sqlite,
        verify::{Fault, FaultKind, Report},
    },
};

/// Checks what is in a folder, and changes nothing: a broker may be using it. Tells how many of how many
/// messages are checked.
///
/// # Errors
/// What [`MaintenanceError`] lists; damage is in the report.
pub fn check(folder: &Path, progress: Progress<'_>) -> Result<Report, MaintenanceError> {
    if !sqlite::is_in(folder) {
        return Err(MaintenanceError::NoData(folder.display().to_string()));
    }
    let mut report = sqlite::verify(folder, progress)?;
    if let Err(error) = tokens::check_file(folder) {
        report.add(Fault::new(FaultKind::Tokens, error.without_folder()));
    }
    Ok(report)
}
