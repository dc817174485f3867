//! `broker restore`.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;

use super::{progress, verify};
use crate::maintenance::{
    MaintenanceError,
    restore::{RestoreSettings, restore},
};

/// What `restore` can be told.
#[derive(Args, Clone, Debug)]
pub(super) struct Restore {
    /// The backup
    #[arg(long, value_name = "FOLDER")]
    from: PathBuf,
    /// Restore into a folder that is not empty: the broker's files in it are set aside
    #[arg(long)]
    force: bool,
    /// Restore a backup although the check of it finds faults; a damaged message will be a dead letter
    #[arg(long)]
    allow_damaged: bool,
}

impl Restore {
    /// Checks a backup and puts it in place; the faults of one that is damaged go to stdout.
    ///
    /// # Errors
    /// When it can't be restored, or stdout is closed.
    pub(super) fn run(&self, data: &Path) -> anyhow::Result<ExitCode> {
        let settings = RestoreSettings { force: self.force, allow_damaged: self.allow_damaged };
        let mut out = std::io::stdout().lock();
        let restored = match restore(&self.from, data, settings, &mut progress::work("copying")) {
            Err(MaintenanceError::Damaged(report)) => {
                verify::tell(&mut out, &report)?;
                return Err(MaintenanceError::Damaged(report).into());
            }
            restored => restored?,
        };
        verify::tell(&mut out, &restored.report)?;
        if let Some(aside) = restored.set_aside {
            writeln!(out, "what was there before is in {}", aside.display())?;
        }
        writeln!(out, "{} holds what {} held", data.display(), self.from.display())?;
        Ok(ExitCode::SUCCESS)
    }
}
