//! Colour for what is read on a terminal. `anstream` takes it out again where stdout is none, or where
//! `NO_COLOR` is set: nothing here has to ask.

use owo_colors::OwoColorize;

/// It holds, it went well.
#[must_use]
pub fn good(text: &str) -> String {
    text.green().bold().to_string()
}

/// It does not hold.
#[must_use]
pub fn bad(text: &str) -> String {
    text.red().bold().to_string()
}

/// Somebody should look.
#[must_use]
pub fn warn(text: &str) -> String {
    text.yellow().bold().to_string()
}

/// Beside the point.
#[must_use]
pub fn dim(text: &str) -> String {
    text.dimmed().to_string()
}

/// A heading, or what is to be seen first.
#[must_use]
pub fn strong(text: &str) -> String {
    text.bold().to_string()
}

/// A name.
#[must_use]
pub fn name(text: &str) -> String {
    text.cyan().to_string()
}
