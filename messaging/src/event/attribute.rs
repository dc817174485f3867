//! The value of a CloudEvents attribute, which keeps the form that it came in.

use serde::de::Error as _;
use serde_json::value::RawValue;

/// A text, or something that JSON writes without quotes (a number, a boolean).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Attribute {
    Text(String),
    Bare(String),
}

impl Attribute {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Text(text) | Self::Bare(text) => text,
        }
    }

    /// What a JSON value means as an attribute: null is an attribute that is not there.
    pub(super) fn read(value: &RawValue) -> Result<Option<Self>, serde_json::Error> {
        let json = value.get();
        match json.as_bytes().first() {
            Some(b'"') => serde_json::from_str(json).map(|text| Some(Self::Text(text))),
            Some(b'n') => Ok(None),
            Some(b'{' | b'[') => {
                Err(serde_json::Error::custom("an attribute is a text, a number or a boolean"))
            }
            _ => Ok(Some(Self::Bare(json.to_owned()))),
        }
    }
}
