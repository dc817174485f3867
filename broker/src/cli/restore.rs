//! `broker restore`.

use std::{
    borrow::Cow,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use serde::Serialize;

use super::{moved::Moved, progress, verify};
use crate::{
    maintenance::{
        Copied, MaintenanceError,
        restore::{RestoreSettings, Restored, restore},
    },
    store::verify::Report,
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

/// What is told as JSON.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    moved: Moved<'a>,
    set_aside: Option<Cow<'a, str>>,
    #[serde(flatten)]
    report: &'a Report,
}

impl Restore {
    /// Checks a backup and puts it in place; the faults of one that is damaged go to stdout.
    ///
    /// # Errors
    /// When it can't be restored, or stdout is closed.
    pub(super) fn run(&self, data: &Path, json: bool) -> anyhow::Result<ExitCode> {
        let settings = RestoreSettings { force: self.force, allow_damaged: self.allow_damaged };
        match restore(&self.from, data, settings, &mut progress::work("copying")) {
            Ok(restored) => {
                self.tell(data, json, &restored, true)?;
                Ok(ExitCode::SUCCESS)
            }
            Err(MaintenanceError::Damaged(report)) => {
                let nothing = Restored { copied: Copied::default(), report: *report, set_aside: None };
                self.tell(data, json, &nothing, false)?;
                Err(MaintenanceError::Damaged(Box::new(nothing.report)).into())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn tell(&self, data: &Path, json: bool, restored: &Restored, ok: bool) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        let Restored { copied, report, set_aside } = restored;
        if json {
            let moved = Moved::new(ok, &self.from, data, *copied);
            let set_aside = set_aside.as_ref().map(|path| path.to_string_lossy());
            let told = Told { moved, set_aside, report };
            return Ok(writeln!(out, "{}", serde_json::to_string(&told)?)?);
        }
        verify::tell(&mut out, report)?;
        if let Some(aside) = set_aside {
            writeln!(out, "what was there before is in {}", aside.display())?;
        }
        if ok {
            writeln!(out, "{} holds what {} held", data.display(), self.from.display())?;
        }
        Ok(())
    }
}
