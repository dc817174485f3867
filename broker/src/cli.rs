//! The command line. Without a subcommand the broker serves; the others ask a broker that runs, over the
//! HTTP contract alone, or look after a data folder. One command a file.

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{
    Arg, ArgMatches, Args as _, CommandFactory as _, FromArgMatches as _, Parser, builder::Resettable,
    error::ErrorKind, parser::ValueSource,
};

mod ask;
mod audit;
mod backup;
mod call;
mod client;
mod command;
mod completions;
mod confirm;
mod connection;
mod dead_letters;
mod failure;
mod human;
mod message;
mod messages;
mod moment;
mod moved;
mod output;
mod pages;
mod problem;
mod progress;
mod publish;
mod queues;
mod receive;
mod redrives;
mod restore;
mod serve;
mod settings;
mod settle;
mod source;
mod table;
mod tail;
mod tokens;
mod topics;
mod trust;
mod unanswered;
mod verify;

use ask::AskArgs;
use command::Command;
pub use serve::ServeArgs;

/// The commands that look after a data folder.
const KEEPING: [&str; 3] = ["backup", "restore", "verify"];
/// Those that ask no broker.
const ASKING_NOBODY: [&str; 5] = ["serve", "completions", "backup", "restore", "verify"];

/// The data folder where none is named.
const DEFAULT_DATA: &str = "./data/broker";

/// A durable message broker, spoken to over HTTP. Without a command it serves.
#[derive(Debug, Parser)]
#[command(
    name = "broker",
    version,
    after_help = EXIT_CODES,
    after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}")
)]
pub struct Cli {
    /// The data folder [default: ./data/broker]
    ///
    /// `serve` keeps all messages in it, and makes it where it is missing; `backup` and `verify` read it,
    /// `restore` fills it. The other commands look there for a token, and for the URL if the folder is named,
    /// when the broker runs on this machine.
    #[arg(long, env = "DATA", value_name = "FOLDER", global = true)]
    data: Option<PathBuf>,
    #[command(flatten)]
    serve: ServeArgs,
    #[command(flatten)]
    ask: AskArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  broker                                             serve on 127.0.0.1:7070
  broker queues create jobs --max-deliveries 5
  broker publish --queue jobs '{\"n\":1}'
  broker receive jobs --ack
  broker queues                                      what is in each queue
  broker tail                                        what happens, live
  broker dead-letters list jobs --reason timeout
  broker dead-letters redrive jobs --per-second 50 --follow";

const EXIT_CODES: &str = "\
Exit codes:
  0  it went well
  1  it did not, and stderr says why
  2  the arguments are wrong, as the program finds or the broker: to try again is no use";

impl Cli {
    /// Reads the arguments and variables of this process; what is wrong ends it with 2.
    #[must_use]
    pub fn read() -> Self {
        Self::read_from(std::env::args_os()).unwrap_or_else(|error| error.exit())
    }

    /// The same with arguments that are handed in.
    fn read_from(arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Self, clap::Error> {
        let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
        let mut command = described();
        let matches = match matched_for_others(&arguments) {
            Some(matches) => matches,
            None => command.try_get_matches_from_mut(arguments)?,
        };
        let refuse = |kind: ErrorKind, why: String| described().error(kind, why);
        misplaced(&matches).map_or(Ok(()), |why| Err(refuse(ErrorKind::ArgumentConflict, why)))?;
        let cli = Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
        cli.serving()
            .map_or(Ok(()), ServeArgs::check)
            .map_err(|why| refuse(ErrorKind::ValueValidation, why))?;
        Ok(cli)
    }

    /// Does what was asked. Exit codes: 0 it went well; 1 it did not, and stderr says why; 2 the arguments
    /// are wrong, whether this program finds that out or the broker.
    #[must_use]
    pub fn run(self) -> ExitCode {
        match self.command {
            None => self.serve.run(folder(self.data)),
            Some(Command::Serve(serve)) => serve.run(folder(self.data)),
            Some(Command::Completions(completions)) => completions.run(&mut described()),
            Some(Command::Keep(keep)) => keep.run(self.data, self.ask.json),
            Some(Command::Ask(ask)) => self.ask.run(self.data.as_deref(), ask),
        }
    }

    /// The settings to serve with, where it is to serve.
    fn serving(&self) -> Option<&ServeArgs> {
        match &self.command {
            None => Some(&self.serve),
            Some(Command::Serve(serve)) => Some(serve),
            Some(_) => None,
        }
    }
}

fn folder(named: Option<PathBuf>) -> PathBuf {
    named.unwrap_or_else(|| DEFAULT_DATA.into())
}

/// The arguments where they name a command, without a look at the variables of the settings to serve with: their
/// names are such that other programs have variables of the same. `serve` has its own.
fn matched_for_others(arguments: &[OsString]) -> Option<ArgMatches> {
    let settings = ServeArgs::augment_args(clap::Command::new(""));
    let command = settings.get_arguments().fold(described(), |command, arg| {
        command.mut_arg(arg.get_id().as_str(), |arg| arg.env(Resettable::Reset))
    });
    // Arguments that are wrong, and those that ask for help, are for the whole description to answer.
    command.try_get_matches_from(arguments).ok().filter(|matches| matches.subcommand_name().is_some())
}

/// What is wrong about arguments that stand with a command that has no use for them. Variables are no such
/// fault: they are there for all.
fn misplaced(matches: &ArgMatches) -> Option<String> {
    let given = |arg: &&Arg| matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
    let first = |command: clap::Command| {
        let mut arguments = command.get_arguments().filter(|arg| !is_used(matches.subcommand_name(), arg));
        Some(format!("--{}", arguments.find(given)?.get_long()?))
    };
    let (serve, ask) =
        (ServeArgs::augment_args(clap::Command::new("")), AskArgs::augment_args(clap::Command::new("")));
    match matches.subcommand_name() {
        None => {
            first(ask).map(|arg| format!("{arg} is for the commands that ask a broker, and none is named"))
        }
        Some(name) => {
            let idle = first(ask).filter(|_| ASKING_NOBODY.contains(&name));
            let idle = idle.map(|arg| format!("{arg} is for the commands that ask a broker, not for {name}"));
            idle.or_else(|| {
                first(serve).map(|arg| format!("{arg} is for serve: write it after that command"))
            })
        }
    }
}

/// What looks after a folder asks nobody, and all the same has something to say in JSON.
fn is_used(command: Option<&str>, arg: &Arg) -> bool {
    command.is_some_and(|name| KEEPING.contains(&name)) && arg.get_long() == Some("json")
}

/// The whole command line. The help of the commands that ask no broker has none of what is for the others.
fn described() -> clap::Command {
    let ask = AskArgs::augment_args(clap::Command::new(""));
    ASKING_NOBODY.iter().fold(Cli::command(), |command, name| {
        let arguments = ask.get_arguments().cloned().map(|arg| match is_used(Some(name), &arg) {
            true => arg.help("Write one JSON document to stdout, and nothing else").help_heading(None),
            false => arg.hide(true),
        });
        command.mut_subcommand(name, |subcommand| subcommand.args(arguments))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn parsed(arguments: &[&str]) -> Cli {
        Cli::read_from([&["broker"], arguments].concat()).unwrap()
    }

    fn refused(arguments: &[&str]) -> String {
        Cli::read_from([&["broker"], arguments].concat()).unwrap_err().to_string()
    }

    #[test]
    fn the_command_line_is_consistent() {
        described().debug_assert();
    }

    #[test]
    fn the_defaults_are_those_of_the_library() {
        let cli = parsed(&[]);
        let config = cli.serve.config(folder(cli.data));
        assert_eq!(format!("{config:?}"), format!("{:?}", Config::new("./data/broker")));
    }

    #[test]
    fn a_certificate_without_its_key_names_the_other_and_so_the_other_way_round() {
        for (given, missing) in [("--tls-cert", "--tls-key"), ("--tls-key", "--tls-cert")] {
            let said = refused(&[given, "file.pem"]);
            assert!(said.contains(missing), "{said}");
        }
    }

    #[test]
    fn serve_takes_what_the_bare_program_takes() {
        let arguments = ["--listen", "127.0.0.1:1", "--data", "here", "--max-message-size", "2MiB"];
        let (bare, named) = (parsed(&arguments), parsed(&[&["serve"], &arguments[..]].concat()));
        let config = |cli: &Cli| format!("{:?}", cli.serving().unwrap().config(folder(cli.data.clone())));
        assert_eq!(config(&bare), config(&named));
    }

    #[test]
    fn arguments_that_would_be_ignored_are_refused() {
        for (arguments, says) in [
            (&["--listen", "127.0.0.1:1", "queues"][..], "--listen is for serve"),
            (&["--listen", "127.0.0.1:1", "serve"], "--listen is for serve"),
            (&["--json"], "--json is for the commands that ask"),
            (&["serve", "--url", "http://127.0.0.1:1"], "--url is for the commands that ask"),
            (&["completions", "bash", "--json"], "--json is for the commands that ask"),
            (&["verify", "--json", "--url", "http://127.0.0.1:1"], "--url is for the commands that ask"),
            (&["backup", "--to", "there", "--token", "t"], "--token is for the commands that ask"),
            (&["--ca", "pem", "restore", "--from", "there"], "--ca is for the commands that ask"),
            (&["serve", "--max-message-size", "32MiB"], "--max-message-size is above --max-request-size"),
        ] {
            let said = refused(arguments);
            assert!(said.contains(says), "{arguments:?}: {said}");
        }
    }

    #[test]
    fn where_to_ask_may_stand_before_and_after_the_command() {
        for arguments in [["--url", "http://h", "queues", "list"], ["queues", "list", "--url", "http://h"]] {
            assert_eq!(parsed(&arguments).ask.url.as_deref(), Some("http://h"));
        }
    }
}
