//! A test that needs what is not installed says so and passes; with `REQUIRE_ALL=1` that is a failure.

use std::io::Write as _;

/// Says that a test was skipped and why.
///
/// # Panics
/// With `REQUIRE_ALL=1`: then everything is to be there.
pub fn skip(test: &str, why: &str) {
    assert!(!is_required(), "{test} can't run, and REQUIRE_ALL=1: {why}");
    // Not by `println!`: what a test that passes prints so is not shown.
    let _ = writeln!(std::io::stdout(), "SKIPPED {test}: {why}");
}

/// Whether nothing may be skipped.
#[must_use]
pub fn is_required() -> bool {
    std::env::var("REQUIRE_ALL").is_ok_and(|value| value == "1")
}

/// Whether a command can be run with these arguments and answers 0.
#[must_use]
pub fn works(command: &str, arguments: &[&str]) -> bool {
    let mut command = std::process::Command::new(command);
    let command =
        command.args(arguments).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
