//! A whole number or a size within a range.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error, Unexpected, Visitor},
};
use units::Size;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, OneOfBuilder, RefOr, Schema, schema::Type},
};

use super::pattern;

/// A whole number between two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) struct Whole<const MIN: u64, const MAX: u64>(pub(in crate::api) u64);

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Whole<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Number { expected: "a whole number", texts: false }).and_then(|number| {
            let out_of_range = || D::Error::custom(format_args!("{number} is out of range: {MIN} to {MAX}"));
            let whole = u64::try_from(number).ok().filter(|number| (MIN..=MAX).contains(number));
            whole.map(Self).ok_or_else(out_of_range)
        })
    }
}

/// Reads a whole number. `3.0` is one, as JSON Schema has it; where `texts` are taken, so is `"3KiB"`.
struct Number {
    expected: &'static str,
    texts: bool,
}

impl Visitor<'_> for Number {
    type Value = i128;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<i128, E> {
        Ok(number.into())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<i128, E> {
        Ok(number.into())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<i128, E> {
        if number.fract() == 0.0 {
            // A float beyond the range of i128 becomes its end, which is out of every range here.
            Ok(number as i128)
        } else {
            Err(E::invalid_type(Unexpected::Float(number), &self))
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<i128, E> {
        if self.texts {
            text.parse::<Size>().map(|size| size.get().into()).map_err(E::custom)
        } else {
            Err(E::invalid_type(Unexpected::Str(text), &self))
        }
    }
}

impl<const MIN: u64, const MAX: u64> PartialSchema for Whole<MIN, MAX> {
    fn schema() -> RefOr<Schema> {
        let number = ObjectBuilder::new().schema_type(Type::Integer);
        number.minimum(Some(MIN)).maximum(Some(MAX)).build().into()
    }
}

impl<const MIN: u64, const MAX: u64> ToSchema for Whole<MIN, MAX> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("Whole_{MIN}_{MAX}"))
    }
}

/// A size between two, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) struct Bytes<const MIN: u64, const MAX: u64>(pub(in crate::api) Size);

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Bytes<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = Number { expected: "whole bytes, or a text such as \"256MiB\"", texts: true };
        deserializer.deserialize_any(read).and_then(|number| {
            let out_of_range =
                || D::Error::custom(format_args!("{number} bytes is out of range: {MIN} to {MAX}"));
            let bytes = u64::try_from(number).ok().filter(|number| (MIN..=MAX).contains(number));
            bytes.map(|bytes| Self(Size::bytes(bytes))).ok_or_else(out_of_range)
        })
    }
}

impl<const MIN: u64, const MAX: u64> PartialSchema for Bytes<MIN, MAX> {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(pattern::of_sizes(MIN, MAX)))
            .description(Some("A whole number and one of B, KiB, MiB, GiB, TiB"));
        Schema::from(OneOfBuilder::new().item(Whole::<MIN, MAX>::schema()).item(text).build()).into()
    }
}

impl<const MIN: u64, const MAX: u64> ToSchema for Bytes<MIN, MAX> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("Size_{MIN}_{MAX}"))
    }
}
