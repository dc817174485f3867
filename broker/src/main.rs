//! The broker as a program: reads its arguments and does what they say.

use std::process::ExitCode;

use broker::cli::Cli;

fn main() -> ExitCode {
    Cli::read().run()
}
