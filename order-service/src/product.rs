//! A product: what is sold under a SKU, and for how much. Prices are ours, never the client's.

use events::{Money, Sku};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest SKU, in bytes.
pub const MAX_SKU: usize = 64;
/// The longest name, in characters.
pub const MAX_NAME: usize = 200;

/// A product of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Product {
    /// What it goes by.
    #[schema(value_type = String, example = "mug")]
    pub sku: Sku,
    /// What it is called.
    #[schema(example = "Mug")]
    pub name: String,
    /// The price of one.
    pub price: Money,
}

/// Whether a text can be a SKU: 1 to 64 of `a-z A-Z 0-9 . _ -`, beginning with a letter or digit.
#[must_use]
pub fn is_sku(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() <= MAX_SKU
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte))
}

/// Whether a text can stand as a name, of a product or a person: 1 to 200 characters, none of them a
/// control character, and not only blanks.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.chars().count() <= MAX_NAME
        && !text.chars().any(char::is_control)
        && text.chars().any(|character| !character.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sku_is_a_short_plain_word() {
        for good in ["mug", "coffee-beans", "A.1_b", &"a".repeat(64)] {
            assert!(is_sku(good), "{good}");
        }
        for bad in ["", "-mug", "a mug", "müg", "a/b", &"a".repeat(65)] {
            assert!(!is_sku(bad), "{bad}");
        }
    }

    #[test]
    fn a_name_has_something_to_read_in_it_and_no_control_characters() {
        assert!(is_name("Ada Lovelace") && is_name("é"));
        for bad in ["", "  ", "a\r\nBcc: b", "\u{7f}", &"a".repeat(201)] {
            assert!(!is_name(bad), "{bad:?}");
        }
    }
}
