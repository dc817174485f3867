//! What lets a client in where an engine wants a token.

use std::{fmt, str::FromStr};

/// A token's text. It is not in the output of `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// A text that no header can carry as a token (RFC 6750, `b64token`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token is of letters, digits and -._~+/=")]
pub struct InvalidToken;

impl Token {
    /// The text, to be sent to the engine and shown to nobody.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for Token {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        let is_one = !text.is_empty() && text.bytes().all(fits);
        is_one.then(|| Self(text.to_owned())).ok_or(InvalidToken)
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
    fn a_token_is_what_a_header_can_carry_and_is_not_shown() {
        let token: Token = "bkr_Ab-9._~+/=".parse().unwrap();
        assert_eq!((token.reveal(), format!("{token:?}").as_str()), ("bkr_Ab-9._~+/=", "Token(…)"));
        for text in ["", "a b", "a\n", "ä", "\"a\""] {
            assert_eq!(text.parse::<Token>(), Err(InvalidToken), "{text}");
        }
    }
}
