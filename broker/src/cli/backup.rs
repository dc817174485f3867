//! `broker backup`.

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use clap::Args;

use super::progress;
use crate::maintenance::backup::backup;

/// What `backup` can be told.
#[derive(Args, Clone, Debug)]
pub struct Backup {
    /// The data folder; a broker may be using it
    #[arg(long, env = "DATA", default_value = "./data/broker", value_name = "FOLDER")]
    data: PathBuf,
    /// The folder to make; its messages and tokens are in it, readable by its owner alone
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
}

impl Backup {
    /// Takes a backup.
    ///
    /// # Errors
    /// When it can't be taken, or stdout is closed.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        backup(&self.data, &self.to, &mut progress::bar("copying"))?;
        writeln!(std::io::stdout(), "{} is a backup of {}", self.to.display(), self.data.display())?;
        Ok(ExitCode::SUCCESS)
    }
}
