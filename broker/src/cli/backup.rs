//! `broker backup`.

use std::{
    borrow::Cow,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use serde::Serialize;

use super::progress;
use crate::maintenance::{Copied, backup::backup};

/// What `backup` can be told.
#[derive(Args, Clone, Debug)]
pub(super) struct Backup {
    /// The folder to make; its messages and tokens are in it, readable by its owner alone
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
}

/// What is told as JSON.
#[derive(Serialize)]
struct Told<'a> {
    ok: bool,
    from: Cow<'a, str>,
    to: Cow<'a, str>,
    #[serde(flatten)]
    copied: Copied,
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
            let (from, to) = (data.to_string_lossy(), self.to.to_string_lossy());
            writeln!(out, "{}", serde_json::to_string(&Told { ok: true, from, to, copied })?)?;
        } else {
            writeln!(out, "{} is a backup of {}", self.to.display(), data.display())?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
