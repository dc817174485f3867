//! `Idempotency-Key` on `POST /orders` (IETF draft): what a key is, what a request's fingerprint is, and
//! which keys are in flight. What was answered is kept with the order, in `store`.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The header.
pub const HEADER: &str = "idempotency-key";
/// The longest key, in bytes.
pub const MAX_KEY: usize = 255;

/// A client's key for one request: 1 to 255 printable ASCII characters, no blank at either end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key(Arc<str>);

/// Why a text is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidKey {
    /// There is none.
    #[error("POST /orders needs an Idempotency-Key: a value of your own, the same for each retry")]
    Missing,
    /// It has other characters, or too many.
    #[error("is 1 to 255 printable ASCII characters, such as a UUID")]
    Malformed,
}

impl Key {
    /// Reads a header's value. In quotes, as the IETF's draft has it, or without them it is the same key.
    ///
    /// # Errors
    /// [`InvalidKey`] when there is nothing in it, or what is no key.
    pub fn parse(value: &[u8]) -> Result<Self, InvalidKey> {
        let value = unquoted(value.trim_ascii());
        if value.is_empty() {
            return Err(InvalidKey::Missing);
        }
        let printable = value.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
        match std::str::from_utf8(value) {
            Ok(text) if printable && text.len() <= MAX_KEY => Ok(Self(text.into())),
            _ => Err(InvalidKey::Malformed),
        }
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn unquoted(value: &[u8]) -> &[u8] {
    let inner = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    inner.unwrap_or(value)
}

/// The digest of a request in its one canonical form: as it was understood, not as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Of a request in its canonical form.
    #[must_use]
    pub fn of(canonical: &[u8]) -> Self {
        Self(*blake3::hash(canonical).as_bytes())
    }

    /// As it was stored; what is not a fingerprint matches no request.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.try_into().unwrap_or_default())
    }

    /// As it is stored, in hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }
}

/// The keys whose first request is being carried out in this process. Another process on the same data
/// folder is kept out by the key's row: its request waits for the first one's commit, and then finds the
/// answer.
#[derive(Clone, Debug, Default)]
pub struct InFlight(Arc<Mutex<HashSet<Key>>>);

/// The claim on a key, until it is dropped.
#[derive(Debug)]
pub struct Claim {
    key: Key,
    in_flight: InFlight,
}

impl InFlight {
    /// Claims a key, or `None` while another request has it.
    #[must_use]
    pub fn claim(&self, key: &Key) -> Option<Claim> {
        self.lock().insert(key.clone()).then(|| Claim { key: key.clone(), in_flight: self.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<Key>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.in_flight.lock().remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_printable_and_not_empty() {
        assert_eq!(Key::parse(b" a-1 ").unwrap().as_str(), "a-1");
        assert_eq!(Key::parse(b"\"a-1\""), Key::parse(b"a-1"), "quotes are no part of it");
        assert_eq!(Key::parse(b"  "), Err(InvalidKey::Missing));
        assert_eq!(Key::parse(b"\"\""), Err(InvalidKey::Missing));
        assert_eq!(Key::parse("é".as_bytes()), Err(InvalidKey::Malformed));
        assert_eq!(Key::parse(&[b'a'; 256]), Err(InvalidKey::Malformed));
        assert!(Key::parse(&[b'a'; 255]).is_ok());
    }

    #[test]
    fn a_key_in_flight_can_be_claimed_again_only_when_it_has_landed() {
        let (in_flight, key) = (InFlight::default(), Key::parse(b"k").unwrap());
        let claim = in_flight.claim(&key);
        assert!(claim.is_some());
        assert!(in_flight.claim(&key).is_none());
        drop(claim);
        assert!(in_flight.claim(&key).is_some());
    }
}
