//! Figures and texts as people read them.

use std::{borrow::Cow, time::Duration};

use indicatif::{BinaryBytes, HumanCount};
use units::{Timestamp, parse_duration};

/// A size in bytes, such as `1.50 MiB`.
pub(super) fn size(bytes: u64) -> String {
    BinaryBytes(bytes).to_string()
}

/// A number with its thousands marked.
pub(super) fn count(number: u64) -> String {
    HumanCount(number).to_string()
}

/// A span of time, in its largest unit or two: `350ms`, `12s`, `5m30s`, `3h`, `4d`.
pub(super) fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let two = |large: u64, unit: &str, small: u64, part: &str| match small {
        0 => format!("{large}{unit}"),
        _ => format!("{large}{unit}{small}{part}"),
    };
    match seconds {
        0 => format!("{}ms", duration.as_millis()),
        1..60 => format!("{seconds}s"),
        60..3600 => two(seconds / 60, "m", seconds % 60, "s"),
        3600..86_400 => two(seconds / 3600, "h", seconds % 3600 / 60, "m"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
    }
}

/// A duration of the contract's, such as `90s`, as a span.
pub(super) fn duration(text: &str) -> String {
    parse_duration(text).map_or_else(|_| clean(text).into_owned(), span)
}

/// How long ago something was, by this machine's clock.
pub(super) fn age(at: Timestamp) -> String {
    span(Timestamp::now().since(at))
}

/// A number of things: `1 message`, `2 messages`.
pub(super) fn things(number: u64, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {one}{plural}", count(number))
}

/// A text of so many letters at the most: where it is longer its beginning, and a mark that there is more.
pub(super) fn beginning(mut text: String, letters: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(letters) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// Whether a letter does something to a terminal instead of being shown, or turns the direction of what
/// follows. Line ends and tabs are harmless.
fn drives(letter: char) -> bool {
    let turns = matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (letter.is_control() && !matches!(letter, '\n' | '\t'))
}

/// Text without what would drive a terminal: whoever may publish could else write to the operator's screen
/// at will.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(drives) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        if drives(letter) {
            cleaned.extend(letter.escape_default());
        } else {
            cleaned.push(letter);
        }
    }
    Cow::Owned(cleaned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_its_largest_unit_or_two() {
        for (text, shown) in [
            ("0ms", "0ms"),
            ("350ms", "350ms"),
            ("1500ms", "1s"),
            ("59s", "59s"),
            ("60s", "1m"),
            ("330s", "5m30s"),
            ("3h", "3h"),
            ("61m", "1h1m"),
            ("4d", "4d"),
            ("25h", "1d1h"),
        ] {
            assert_eq!(duration(text), shown);
        }
    }

    #[test]
    fn sizes_and_counts_are_grouped() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(1_572_864), "1.50 MiB");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(
            (things(1, "message"), things(1000, "message")),
            ("1 message".into(), "1,000 messages".into())
        );
    }

    #[test]
    fn what_drives_a_terminal_is_written_out() {
        assert_eq!(clean("two\nlines\t✓"), "two\nlines\t✓");
        assert_eq!(clean("a\u{202e}b"), r"a\u{202e}b");
        assert_eq!(clean("\u{1b}[2Jgone\r\u{9b}0m"), r"\u{1b}[2Jgone\r\u{9b}0m");
    }
}
