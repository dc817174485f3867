//! The command line: `up` (also without a subcommand), `demo`, `load`, `check`.

use std::{io::Write, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use serve::{
    logs::{self, LogFormat, Logs, LogsError},
    program::LogArgs,
};

use crate::{check::CheckArgs, demo::DemoArgs, load::LoadArgs, up::UpArgs};

/// An order pipeline on one machine: a durable broker and five services over HTTP
#[derive(Parser, Clone, Debug)]
#[command(name = "pipeline", version, args_conflicts_with_subcommands = true)]
pub struct Command {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    up: Up,
}

/// `up`, whether it is named or not.
#[derive(Args, Clone, Debug)]
struct Up {
    #[command(flatten)]
    up: UpArgs,
    #[command(flatten)]
    log: LogArgs,
}

#[derive(Subcommand, Clone, Debug)]
enum What {
    /// Run the broker and all services until ctrl-c or SIGTERM (the default)
    Up(Up),
    /// Show a shop's day: orders of every kind, a dead letter redriven, all invariants checked
    Demo(DemoArgs),
    /// Place many orders with a pipeline that is up, measure, and check the invariants
    Load(LoadArgs),
    /// Hold a pipeline that is up to its invariants: a line each, exit 1 if one fails
    Check(CheckArgs),
}

impl Command {
    /// Does what is asked. Exit codes: 0 all went well; 1 something failed, and stderr says what.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let _logs = match self.start_logs() {
            Ok(logs) => logs,
            Err(error) => {
                let _ = failed(&error.into());
                return ExitCode::from(2);
            }
        };
        let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return failed(&error.into()),
        };
        let done = match self.what.unwrap_or(What::Up(self.up)) {
            What::Up(Up { up, .. }) => runtime.block_on(up.run()),
            What::Demo(demo) => runtime.block_on(demo.run()),
            What::Load(load) => runtime.block_on(load.run()),
            What::Check(check) => runtime.block_on(check.run()),
        };
        done.unwrap_or_else(|error| failed(&error))
    }

    /// `load` and `check` write none: what they find is their output.
    fn start_logs(&self) -> Result<Option<Logs>, LogsError> {
        let (level, format) = match self.what.as_ref().unwrap_or(&What::Up(self.up.clone())) {
            What::Up(Up { log, .. }) => (log.log.clone(), log.log_format),
            What::Demo(demo) => (demo.log.clone(), LogFormat::Text),
            What::Load(_) | What::Check(_) => return Ok(None),
        };
        logs::start("pipeline", &level, format).map(Some)
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    // Nowhere is left to say that stderr is closed.
    let _ = writeln!(anstream::stderr(), "error: {error:#}");
    ExitCode::FAILURE
}
