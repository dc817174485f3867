//! `broker completions`: what a shell needs to complete the commands.

use std::{io, process::ExitCode};

use clap::{Args, Command};
use clap_complete::{Shell, generate};

use super::failure;

/// Write a completion script for a shell to stdout
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  broker completions bash > ~/.local/share/bash-completion/completions/broker
  broker completions zsh  > ~/.zfunc/_broker
  broker completions fish > ~/.config/fish/completions/broker.fish")]
pub(super) struct Completions {
    /// For which shell
    shell: Shell,
}

impl Completions {
    /// Writes it.
    pub(super) fn run(&self, command: &mut Command) -> ExitCode {
        let mut script = Vec::new();
        generate(self.shell, command, "broker", &mut script);
        failure::end(io::Write::write_all(&mut io::stdout(), &script).map_err(Into::into))
    }
}
