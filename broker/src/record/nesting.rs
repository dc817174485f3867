//! How deep JSON is nested. A reader of an answer has to nest as deep as the deepest message in it, and most
//! refuse to at some hundred levels: one message must not make others unreadable (RFC 8259, section 9).

/// How many levels the JSON data of a message has at the most. With those around it in an answer it stays within
/// the 128 that `serde_json` reads.
pub const MAX_LEVELS: usize = 100;

/// Whether a JSON text has more levels of arrays and objects than [`MAX_LEVELS`].
#[must_use]
pub fn is_too_deep(json: &str) -> bool {
    let (mut levels, mut in_text) = (0_usize, false);
    let mut bytes = json.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_text = !in_text,
            // What is escaped ends no text.
            b'\\' => drop(bytes.next()),
            b'[' | b'{' if !in_text => levels += 1,
            b']' | b'}' if !in_text => levels = levels.saturating_sub(1),
            _ => {}
        }
        if levels > MAX_LEVELS {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(levels: usize) -> String {
        format!("{}{}", r#"{"a":["#.repeat(levels / 2), "]}".repeat(levels / 2))
    }

    #[test]
    fn levels_are_counted_and_not_what_stands_beside_each_other_or_in_texts() {
        assert!(!is_too_deep(&nested(MAX_LEVELS)));
        assert!(is_too_deep(&nested(MAX_LEVELS + 2)));
        assert!(!is_too_deep(&format!("[{}[]]", "[],".repeat(200))));
        assert!(!is_too_deep(&format!(r#"["\\","\"{}"]"#, "[".repeat(200))));
    }
}
