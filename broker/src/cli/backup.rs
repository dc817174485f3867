//! `broker backup`.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;

use super::{moved::Moved, progress};
use crate::maintenance::backup::backup;

/// What `backup` can be told.
#[derive(Args, Clone, Debug)]
pub(super) struct Backup {
    /// The folder to make; its messages and tokens are in it, readable by its owner alone
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
}

impl Backup {
    /// Takes a backup.
    ///
    /// # Errors
    /// When it can't be taken, or stdout is closed.
    pub(super) fn run(&self, data: &Path, json: bool) -> anyhow::Result<ExitCode> {
        let copied = backup(data, &self.to, &mut progress::work("copying"))?;
        let mut out = std::io::stdout().lock();
        if json {
            let moved = Moved::new(true, data, &self.to, copied);
            writeln!(out, "{}", serde_json::to_string(&moved)?)?;
        } else {
            writeln!(out, "{} is a backup of {}", self.to.display(), data.display())?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
