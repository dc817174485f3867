//! Kills a broker under load, again and again, and accounts for every message.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::{Parser, ValueEnum};
use system_tests::{
    kills::{Plan, SmallDisk, Trouble, consume, run},
    programs::folder,
    skip::is_required,
};

/// Brings trouble over a broker under the load of many clients, and accounts for every message.
#[derive(Debug, Parser)]
struct Arguments {
    /// What happens to the broker; all of it where nothing is said
    #[arg(long, value_enum)]
    trouble: Option<Kind>,
    /// How often it is killed
    #[arg(long, default_value_t = 200)]
    kills: u32,
    /// How often each other trouble comes
    #[arg(long, default_value_t = 10)]
    rounds: u32,
    /// What all chance comes from; any where none is given
    #[arg(long)]
    seed: Option<u64>,
    /// Be a consumer of the broker there, to be held still
    #[arg(long, hide = true, value_name = "URL")]
    consume: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Kills,
    Pauses,
    FailedWrites,
    FullDisk,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    if let Some(url) = &arguments.consume {
        consume(url).await?;
        return Ok(ExitCode::SUCCESS);
    }
    folder();
    let seed = arguments.seed.unwrap_or_else(rand::random);
    let kinds = arguments.trouble.map_or_else(|| Kind::value_variants().to_vec(), |kind| vec![kind]);
    let mut well = true;
    for kind in kinds {
        well &= bring(kind, &arguments, seed).await?;
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether all went as it must, or can't be tried here and need not.
async fn bring(kind: Kind, arguments: &Arguments, seed: u64) -> anyhow::Result<bool> {
    let (trouble, rounds) = match kind {
        Kind::Kills => (Trouble::Kills, arguments.kills),
        Kind::Pauses => (Trouble::Pauses, arguments.rounds),
        Kind::FailedWrites => (Trouble::FailedWrites, arguments.rounds),
        Kind::FullDisk => (Trouble::FullDisk, arguments.rounds),
    };
    let mut out = io::stdout();
    let logs = tempfile::tempdir()?;
    let small = match kind {
        Kind::FullDisk => match SmallDisk::mount("128m") {
            Ok(disk) => Some(disk),
            Err(why) => {
                writeln!(out, "SKIPPED {trouble}: {why:#}")?;
                return Ok(!is_required());
            }
        },
        _ => None,
    };
    let folder = small.as_ref().map_or(logs.path(), SmallDisk::path);
    match run(Plan { trouble, rounds, seed }, folder, logs.path()).await {
        Ok(figures) => writeln!(out, "{figures}\n")?,
        Err(error) => {
            writeln!(
                out,
                "{trouble}, seed {seed}: {error:#}\nthe folder is kept: {}",
                logs.keep().display()
            )?;
            return Ok(false);
        }
    }
    Ok(true)
}
