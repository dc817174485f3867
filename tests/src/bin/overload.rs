//! Floods a broker with ten times what it works on, prints figures, and fails where something does not hold.

use std::{
    io::{self, Write as _},
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use system_tests::{overload::run, programs::folder};

/// Floods a broker with ten times what it works on, and accounts for every message.
#[derive(Debug, Parser)]
struct Arguments {
    /// How long the flood lasts
    #[arg(long, default_value_t = 120, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    folder();
    let folder = tempfile::tempdir()?;
    let report = run(Duration::from_secs(arguments.seconds), folder.path()).await?;
    write!(io::stdout(), "{report}")?;
    Ok(if report.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
