//! The short texts: durations, sizes, times, names, grants and patterns, receipts, cursors.

mod cursors;
mod durations;
mod names;
mod receipts;
mod sizes;
mod times;

/// Any text, read as each of them. Of a text of two lines the first is a pattern and the second a name.
pub fn texts(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    durations::hold(text);
    sizes::hold(text);
    times::hold(text);
    names::hold(text);
    receipts::hold(text);
    cursors::hold(text);
}

/// A number and what stands behind it, read in the plainest way; `None` where there is no number.
fn number_and_unit(text: &str) -> Option<(u128, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let digits = text[..end].trim_start_matches('0');
    match (end, digits.len()) {
        (0, _) => None,
        (_, 0) => Some((0, &text[end..])),
        // More than 30 digits are out of every range; less would overflow nothing.
        (_, length) => Some((if length > 30 { 10_u128.pow(30) } else { digits.parse().ok()? }, &text[end..])),
    }
}
