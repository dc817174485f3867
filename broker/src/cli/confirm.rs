//! Asking before something is lost for good.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use clap::Args;

use super::failure::Failure;

/// Whether to ask first.
#[derive(Args, Debug)]
pub(super) struct Confirmation {
    /// Don't ask; needed where there is no terminal to ask at
    #[arg(long, short)]
    yes: bool,
}

impl Confirmation {
    /// Goes on once somebody said yes.
    ///
    /// # Errors
    /// When he did not, or there is nobody to ask.
    pub(super) fn ask(&self, question: &str) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            let why =
                format!("{question} There is nobody to ask here: --yes goes ahead. Nothing was changed.");
            return Err(Failure::Usage(why));
        }
        // What can't be asked is not answered with yes.
        let _ = write!(anstream::stderr(), "{question} [y/N] ");
        let mut answer = String::new();
        let _ = io::stdin().lock().read_line(&mut answer);
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(Failure::Undone("nothing was changed".to_owned())),
        }
    }
}
