//! What lets a client in where an engine wants a token.

use std::{convert::Infallible, fmt, str::FromStr};

/// A token's text. It is not in the output of `Debug`. Any text is read as one, without the blanks around it:
/// whoever can't use it says so, and does not repeat it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// What the header `Authorization` says (RFC 6750). `None` of an empty text: a variable that is set to nothing
    /// is meant well.
    #[must_use]
    pub fn bearer(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| format!("Bearer {}", self.0))
    }
}

impl FromStr for Token {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.trim().to_owned()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_not_shown_and_a_line_end_is_no_part_of_it() {
        let token: Token = "bkr_x\n".parse().unwrap();
        assert_eq!(token.bearer().as_deref(), Some("Bearer bkr_x"));
        assert_eq!(format!("{token:?}"), "Token(…)");
        assert_eq!(" ".parse::<Token>().unwrap().bearer(), None);
    }
}
