//! A token's text, which is shown once, and its digest, which is all that is kept.
//!
//! The text is 32 random bytes of the operating system. Nobody can guess one of 2^256, so the digest is a
//! fast one (BLAKE3): slow digests are there for what people think up, and would cost every request
//! milliseconds here.

use std::{
    fmt,
    hash::{Hash, Hasher},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use constant_time_eq::constant_time_eq_32;

/// What every token starts with, so that people and scanners know one where it should not be.
pub const PREFIX: &str = "bkr_";

/// The text of a token: `bkr_` and 43 characters of base64url. It is not in the output of `Debug`.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A new one.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn generate() -> std::io::Result<Self> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
        Ok(Self(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// The text, to be shown to whoever asked for the token, and to nobody else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}…")
    }
}

/// The BLAKE3 digest of a token's text.
#[derive(Clone, Copy, Eq)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Of any text that may be a token.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(*blake3::hash(text.as_bytes()).as_bytes())
    }

    /// As 64 hexadecimal digits.
    #[must_use]
    pub fn to_hex(self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }

    /// Reads what [`Self::to_hex`] wrote.
    #[must_use]
    pub fn from_hex(hex: &str) -> Option<Self> {
        blake3::Hash::from_hex(hex).ok().map(|hash| Self(*hash.as_bytes()))
    }
}

/// Whether two digests are the same, in a time that does not tell how much of them is.
#[must_use]
pub fn is_same_digest(one: &Digest, other: &Digest) -> bool {
    constant_time_eq_32(&one.0, &other.0)
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        is_same_digest(self, other)
    }
}

impl Hash for Digest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.0);
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…", &self.to_hex()[..8])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_recognisable_long_and_never_the_same_twice() {
        let (one, other) = (Secret::generate().unwrap(), Secret::generate().unwrap());
        assert!(one.reveal().starts_with("bkr_") && one.reveal().len() == 47, "{}", one.reveal());
        assert_ne!(one.reveal(), other.reveal());
        assert_eq!(format!("{one:?}"), "bkr_…", "its text must not get into logs");
    }

    #[test]
    fn digests_are_the_same_only_where_all_of_them_is() {
        let digest = Digest([7; 32]);
        assert!(is_same_digest(&digest, &Digest([7; 32])));
        for place in 0..32 {
            let mut other = [7; 32];
            other[place] = 8;
            assert!(!is_same_digest(&digest, &Digest(other)), "byte {place}");
        }
    }

    #[test]
    fn a_digest_is_read_back_as_it_was_written() {
        let digest = Digest::of("bkr_x");
        assert_eq!(Digest::from_hex(&digest.to_hex()), Some(digest));
        assert_eq!(Digest::from_hex("00"), None);
        assert_eq!(Digest::from_hex(&"z".repeat(64)), None);
    }
}
