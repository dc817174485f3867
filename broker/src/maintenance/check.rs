//! Checking a data folder: its database, and the tokens that guard it.

use std::path::Path;

use super::{MaintenanceError, files};
use crate::{
    auth::tokens::{self, TokensError},
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
    match tokens::check_file(folder) {
        Err(TokensError::File { source, .. }) => {
            return Err(files("read", &folder.join(tokens::FILE))(source));
        }
        Err(error) => report.add(Fault::new(FaultKind::Tokens, error.without_folder())),
        Ok(()) => {}
    }
    Ok(report)
}
