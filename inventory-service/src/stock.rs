//! The stock of one SKU, and what a person may set.

use events::Sku;
use serve::problem::Problem;

/// The most pieces of a SKU that can be on hand.
pub const MAX_ON_HAND: i64 = 1_000_000_000_000;
/// The longest SKU, in characters.
const MAX_SKU: usize = 64;

/// How many pieces of a SKU are where. Always: `received` = `on_hand` + `committed`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stock {
    /// Of what.
    pub sku: Sku,
    /// In the warehouse, with those that are held.
    pub on_hand: i64,
    /// Held for orders that are not confirmed yet.
    pub reserved: i64,
    /// Everything ever put in, net of what was taken out by hand.
    pub received: i64,
    /// Gone with confirmed orders.
    pub committed: i64,
}

impl Stock {
    /// What can still be held.
    #[must_use]
    pub const fn available(&self) -> i64 {
        self.on_hand - self.reserved
    }

    /// So many are held.
    pub const fn hold(&mut self, pieces: i64) {
        self.reserved += pieces;
    }

    /// So many of what is held are free again.
    pub const fn let_go(&mut self, pieces: i64) {
        self.reserved -= pieces;
    }

    /// So many of what is held leave.
    pub const fn commit(&mut self, pieces: i64) {
        self.reserved -= pieces;
        self.on_hand -= pieces;
        self.committed += pieces;
    }

    /// So many of what has left come back.
    pub const fn put_back(&mut self, pieces: i64) {
        self.on_hand += pieces;
        self.committed -= pieces;
    }
}

/// A SKU as it may stand in a path: 1 to 64 of `a-z A-Z 0-9 . _ -`, starting with a letter or digit.
///
/// # Errors
/// `invalid-field`.
pub fn parse_sku(text: &str) -> Result<Sku, Problem> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let starts_well = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if starts_well && text.len() <= MAX_SKU && text.bytes().all(allowed) {
        return Ok(Sku::new(text));
    }
    Err(Problem::invalid("sku", "is 1 to 64 of a-z A-Z 0-9 . _ -, starting with a letter or digit"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sku_is_short_and_plain() {
        for good in ["mug", "coffee-beans", "A.1_b-2", "0"] {
            assert_eq!(parse_sku(good).unwrap().as_str(), good);
        }
        for bad in ["", "-mug", "a b", "käse", "a/b", &"x".repeat(65)] {
            assert!(parse_sku(bad).is_err(), "{bad:?}");
        }
    }
}
