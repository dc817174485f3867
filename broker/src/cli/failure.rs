//! Why a command failed, how it is said, and the exit code that goes with it.

use std::{error::Error, io, io::Write as _, process::ExitCode};

use url::Url;

use super::{human::clean, problem::Problem};
use crate::maintenance::MaintenanceError;

/// Why a command did not do what it was to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// Nobody answered.
    #[error("the broker at {url} can't be reached: {why}\n  {hint}")]
    Unreachable {
        /// Where it was looked for.
        url: String,
        /// What happened.
        why: String,
        /// What can be done.
        hint: &'static str,
    },
    /// The broker refused.
    #[error("{0}")]
    Refused(Box<Problem>),
    /// It wants a token.
    #[error("{problem}\n  {hint}")]
    NoToken {
        /// What it said.
        problem: Box<Problem>,
        /// How to give one.
        hint: String,
    },
    /// What answered does not speak the contract.
    #[error("what answers at {url} does not speak as a broker does: {why}")]
    Foreign {
        /// Where.
        url: String,
        /// What is wrong with the answer.
        why: String,
    },
    /// The arguments are wrong, which only shows now.
    #[error("{0}")]
    Usage(String),
    /// It was carried out, but not all went as it was to.
    #[error("{0}")]
    Undone(String),
}

impl Failure {
    /// Of a call that was not answered, by its innermost cause.
    pub(super) fn unanswered(url: &Url, error: &(dyn Error + 'static)) -> Self {
        let mut cause = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        let why = cause.to_string();
        let hint = match url.scheme() {
            "https" if why.contains("CaUsedAsEndEntity") => {
                "Its certificate is one of an authority (CA:TRUE), which may only sign others. Give the broker one \
                 that such an authority signed, or one made with -addext basicConstraints=critical,CA:FALSE."
            }
            "https" => {
                "Is it running? --ca or BROKER_CA names the authority to trust, where the system does not."
            }
            _ => "Is it running? `broker serve` starts one; --url or BROKER_URL says where it is.",
        };
        Self::Unreachable { url: url.to_string(), why, hint }
    }
}

/// Ends a command: says what went wrong, and gives the exit code. A reader of stdout that has gone away, as
/// `head` does, has seen enough.
pub(super) fn end(done: anyhow::Result<()>) -> ExitCode {
    let Err(error) = done else { return ExitCode::SUCCESS };
    if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
        return ExitCode::SUCCESS;
    }
    tell(&error)
}

/// Says what went wrong, and gives the exit code: 2 where the arguments are wrong, whoever found out.
pub(super) fn tell(error: &anyhow::Error) -> ExitCode {
    // Nowhere is left to say that stderr is closed.
    let _ = writeln!(anstream::stderr(), "error: {}", clean(&serve::program::chain(error)));
    if is_of_the_arguments(error) { ExitCode::from(2) } else { ExitCode::FAILURE }
}

fn is_of_the_arguments(error: &anyhow::Error) -> bool {
    let folders = error.downcast_ref::<MaintenanceError>();
    match error.downcast_ref() {
        Some(Failure::Usage(_)) => true,
        Some(Failure::Refused(problem)) => problem.is_of_the_arguments(),
        _ => folders.is_some_and(MaintenanceError::is_of_the_arguments),
    }
}
