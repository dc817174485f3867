//! The program: reads what is asked for and does it.

use std::process::ExitCode;

use clap::Parser;
use pipeline::command::Command;

fn main() -> ExitCode {
    Command::parse().run()
}
