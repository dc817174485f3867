//! A duration within a range.

use std::{borrow::Cow, time::Duration};

use serde::{Deserialize, Deserializer, de::Error};
use units::{format_duration, parse_duration};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};

use super::pattern;

/// A duration between two lengths, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) struct Span<const MIN: u64, const MAX: u64>(pub(in crate::api) Duration);

impl<const MIN: u64, const MAX: u64> Span<MIN, MAX> {
    /// Reads a text.
    pub(in crate::api) fn parse(text: &str) -> Result<Self, String> {
        let duration = parse_duration(text).map_err(|error| error.to_string())?;
        let (min, max) = (Duration::from_millis(MIN), Duration::from_millis(MAX));
        if (min..=max).contains(&duration) {
            Ok(Self(duration))
        } else {
            Err(format!("{text} is out of range: {} to {}", format_duration(min), format_duration(max)))
        }
    }
}

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Span<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Cow::<str>::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl<const MIN: u64, const MAX: u64> PartialSchema for Span<MIN, MAX> {
    fn schema() -> RefOr<Schema> {
        let (min, max) = (Duration::from_millis(MIN), Duration::from_millis(MAX));
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(pattern::of_durations(MIN, MAX)))
            .description(Some(format!(
                "A duration: a whole number and one of ms, s, m, h, d; {} to {}.",
                format_duration(min),
                format_duration(max)
            )))
            .build()
            .into()
    }
}

impl<const MIN: u64, const MAX: u64> ToSchema for Span<MIN, MAX> {
    fn name() -> Cow<'static, str> {
        let (min, max) = (Duration::from_millis(MIN), Duration::from_millis(MAX));
        Cow::Owned(format!("Duration_{}_{}", format_duration(min), format_duration(max)))
    }
}
