//! Patterns of names: `*` stands for any run of characters, anywhere; all else for itself.

use std::fmt;

/// A pattern, such as `orders`, `payment.*` or `*`. Runs of `*` are written as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

/// Why a text is not a [`Pattern`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a pattern is 1 to 128 of a-z A-Z 0-9 . _ - and *, which stands for any run of characters")]
pub struct InvalidPattern;

impl Pattern {
    /// The longest pattern, in bytes: that of a name.
    pub const MAX_BYTES: usize = 128;

    /// Parses a pattern. One that no name can match (it starts with a dot) is a mistake too.
    ///
    /// # Errors
    /// [`InvalidPattern`] when the text breaks the rule.
    pub fn parse(text: &str) -> Result<Self, InvalidPattern> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'*');
        let starts_well =
            text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'*');
        if !starts_well || text.len() > Self::MAX_BYTES || !text.bytes().all(allowed) {
            return Err(InvalidPattern);
        }
        Ok(Self(with_single_stars(text)))
    }

    /// The pattern that every name matches.
    #[must_use]
    pub fn all() -> Self {
        Self("*".to_owned())
    }

    /// Whether every name matches.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.0 == "*"
    }

    /// Whether a name matches. The time is at most the product of both lengths.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let (pattern, name) = (self.0.as_bytes(), name.as_bytes());
        let (mut at, mut seen) = (0, 0);
        // Where to go on when what follows the latest star does not fit: the star takes one more.
        let mut star: Option<(usize, usize)> = None;
        while seen < name.len() {
            match (pattern.get(at), star) {
                (Some(b'*'), _) => {
                    star = Some((at + 1, seen));
                    at += 1;
                }
                (Some(byte), _) if *byte == name[seen] => (at, seen) = (at + 1, seen + 1),
                (_, Some((after, taken))) => {
                    star = Some((after, taken + 1));
                    (at, seen) = (after, taken + 1);
                }
                _ => return false,
            }
        }
        pattern[at..].iter().all(|byte| *byte == b'*')
    }
}

/// The text with each run of stars as one, so that `**` says the same as `*`.
fn with_single_stars(text: &str) -> String {
    let mut before = None;
    let mut repeated = |char: &char| before.replace(*char) == Some('*') && *char == '*';
    text.chars().filter(|char| !repeated(char)).collect()
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(name)
    }

    #[test]
    fn without_a_star_a_pattern_is_one_name() {
        assert!(matches("orders", "orders"));
        for other in ["order", "orders2", "Orders", "", "xorders"] {
            assert!(!matches("orders", other), "{other}");
        }
        assert!(!matches("a.b", "axb"), "a dot is a dot");
    }

    #[test]
    fn a_star_stands_for_any_run_anywhere() {
        for (pattern, names) in [
            ("payment.*", &["payment.orders", "payment.", "payment.a.b"][..]),
            ("*.orders", &["email.orders", "a.b.orders"]),
            ("a*z", &["az", "abz", "azz", "a.z.z"]),
            ("a*b*c", &["abc", "a.b.b.c", "abcbc", "aabbcc"]),
            ("*b*", &["b", "abc", "bb"]),
            ("*", &["x", "a.b"]),
        ] {
            assert!(names.iter().all(|name| matches(pattern, name)), "{pattern}");
        }
        for (pattern, names) in [
            ("payment.*", &["payment", "xpayment.a", "payments.a"][..]),
            ("*.orders", &["orders", "email.orders2"]),
            ("a*z", &["a", "z", "azx", "zaz"]),
            ("a*b*c", &["ac", "acb", "abcd"]),
        ] {
            assert!(!names.iter().any(|name| matches(pattern, name)), "{pattern}");
        }
    }

    #[test]
    fn a_pattern_full_of_stars_is_matched_in_bounded_time() {
        let pattern = "a*".repeat(63);
        assert!(!matches(&format!("{pattern}b"), &"a".repeat(128)));
    }

    #[test]
    fn stars_side_by_side_are_one() {
        assert!(Pattern::parse("**").unwrap().is_all());
        assert_eq!(Pattern::parse("a***b*").unwrap().to_string(), "a*b*");
    }

    #[test]
    fn what_no_name_can_match_is_no_pattern() {
        let long = "a".repeat(129);
        for text in ["", ".a", "-*", "a b", "a/b", "ä", "a:b", &long] {
            assert_eq!(Pattern::parse(text), Err(InvalidPattern), "{text:?}");
        }
        for text in ["9", "a*", "*-x", "a._-"] {
            Pattern::parse(text).unwrap();
        }
    }
}
