//! Values of limits under which nobody could be served if they were zero.

use std::time::Duration;

use units::{Size, parse_duration, size::InvalidSize};

/// A duration above zero.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let duration = parse_duration(text).map_err(|error| error.to_string())?;
    if duration.is_zero() { Err(format!("{text} is not above zero")) } else { Ok(duration) }
}

/// A size above zero.
pub(super) fn size(text: &str) -> Result<Size, String> {
    let size: Size = text.parse().map_err(|error: InvalidSize| error.to_string())?;
    if size == Size::bytes(0) { Err(format!("{text} is not above zero")) } else { Ok(size) }
}
