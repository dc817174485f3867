//! Why a command failed, how it is said, and the exit code that goes with it.

use std::{io, io::Write as _, process::ExitCode};

use super::{human::clean, problem::Problem};
use crate::maintenance::MaintenanceError;

/// Why a command did not do what it was to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// Nobody is there.
    #[error("the broker at {url} can't be reached: {why}\n  {hint}")]
    Unreachable {
        /// Where it was looked for.
        url: String,
        /// What happened.
        why: String,
        /// What can be done.
        hint: &'static str,
    },
    /// Somebody is there who gave no answer, or not all of it.
    #[error("the broker at {url} was reached, and gave no full answer: {why}\n  {hint}")]
    Unanswered {
        /// Where.
        url: String,
        /// What happened.
        why: String,
        /// What may be the matter.
        hint: String,
    },
    /// The broker refused.
    #[error("{0}")]
    Refused(Box<Problem>),
    /// It refused, and there is a way on.
    #[error("{problem}\n  {hint}")]
    Hinted {
        /// What it said.
        problem: Box<Problem>,
        /// What can be done.
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
    /// Nothing, where all went as it was to; else all that did not.
    pub(super) fn of_undone(undone: &[String]) -> Result<(), Self> {
        if undone.is_empty() { Ok(()) } else { Err(Self::Undone(undone.join("; "))) }
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
