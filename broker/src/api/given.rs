//! Values of request bodies that carry their own range: what is out of it is refused where it is read,
//! and the OpenAPI schema says exactly the same. A field left out is told from one set to null.

use std::{borrow::Cow, fmt, marker::PhantomData, ops::Deref, time::Duration};

use broker_core::settings::Start;
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Unexpected, Visitor, value::MapAccessDeserializer},
};
use units::{Size, Timestamp, format_duration, parse_duration};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        KnownFormat, ObjectBuilder, OneOfBuilder, RefOr, Schema, SchemaFormat,
        schema::{SchemaType, Type},
    },
};

mod distinct;
mod pattern;
mod word;

pub(super) use distinct::Distinct;
pub(super) use word::Word;

/// A field that may be left out, but not be null.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given<T>(pub(super) Option<T>);

impl<T> Default for Given<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Deref for Given<T> {
    type Target = Option<T>;

    fn deref(&self) -> &Option<T> {
        &self.0
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(|value| Self(Some(value)))
    }
}

/// A nested object. Serde alone would take an array for a struct too, its fields in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_map(Members(PhantomData)).map(Self)
    }
}

/// Ten years in milliseconds: what no length of time here exceeds.
const TEN_YEARS: u64 = 3650 * 86_400_000;
/// What SQLite's integers hold.
const LARGEST: u64 = i64::MAX as u64;

/// A lease: 100 ms to 12 h.
pub(super) type Lease = Span<100, 43_200_000>;
/// A length of time that may be none.
pub(super) type Pause = Span<0, TEN_YEARS>;
/// A length of time that is at least a millisecond.
pub(super) type Lifetime = Span<1, TEN_YEARS>;
/// A lifetime, or none.
pub(super) type LifetimeOrNull = OrNull<Lifetime>;
/// A number that is at least 1.
pub(super) type Count = Whole<1, LARGEST>;
/// How many a second.
pub(super) type Pace = Whole<1, 100_000>;
/// A number that may be 0.
pub(super) type CountOrNone = Whole<0, LARGEST>;
/// A number of deliveries.
pub(super) type Deliveries = Whole<1, { u32::MAX as u64 }>;
/// A size that is at least a byte.
pub(super) type Capacity = Bytes<1, LARGEST>;

/// A duration between two lengths, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span<const MIN: u64, const MAX: u64>(pub(super) Duration);

impl<const MIN: u64, const MAX: u64> Span<MIN, MAX> {
    /// Reads a text.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
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

/// A whole number between two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Whole<const MIN: u64, const MAX: u64>(pub(super) u64);

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
pub(super) struct Bytes<const MIN: u64, const MAX: u64>(pub(super) Size);

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

/// How a time that is given shows in the schema: no earlier than 1970, as [`units::Timestamp`] reads it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment;

impl PartialSchema for Moment {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .pattern(Some("^(?:19[7-9][0-9]|[2-9][0-9]{3})-"))
            .build()
            .into()
    }
}

impl ToSchema for Moment {}

/// What a subscription begins with: `new`, `earliest`, or a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Beginning(pub(super) Start);

impl<'de> Deserialize<'de> for Beginning {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        match &*text {
            "new" => Ok(Self(Start::New)),
            "earliest" => Ok(Self(Start::Earliest)),
            time => {
                let wrong = |_| D::Error::custom("is \"new\", \"earliest\", or a time as RFC 3339 writes it");
                time.parse().map(Start::Since).map(Self).map_err(wrong)
            }
        }
    }
}

impl PartialSchema for Beginning {
    fn schema() -> RefOr<Schema> {
        let words = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["new", "earliest"]));
        Schema::from(OneOfBuilder::new().item(words).item(Moment::schema()).build()).into()
    }
}

impl ToSchema for Beginning {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("SubscriptionFrom")
    }
}

/// From when on: `earliest`, or a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Since(pub(super) Option<Timestamp>);

impl Since {
    /// Reads a text.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        match text {
            "earliest" => Ok(Self(None)),
            time => match time.parse() {
                Ok(at) => Ok(Self(Some(at))),
                Err(_) => Err("is \"earliest\", or a time as RFC 3339 writes it"),
            },
        }
    }
}

impl<'de> Deserialize<'de> for Since {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Cow::<str>::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl PartialSchema for Since {
    fn schema() -> RefOr<Schema> {
        let word = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["earliest"]));
        Schema::from(OneOfBuilder::new().item(word).item(Moment::schema()).build()).into()
    }
}

impl ToSchema for Since {}

/// A text of a length between two, in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text<const MIN: usize, const MAX: usize>(pub(super) String);

impl<'de, const MIN: usize, const MAX: usize> Deserialize<'de> for Text<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if (MIN..=MAX).contains(&text.chars().count()) {
            Ok(Self(text))
        } else {
            Err(D::Error::custom(format_args!("is {MIN} to {MAX} characters long")))
        }
    }
}

impl<const MIN: usize, const MAX: usize> PartialSchema for Text<MIN, MAX> {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String);
        text.min_length(Some(MIN)).max_length(Some(MAX)).build().into()
    }
}

impl<const MIN: usize, const MAX: usize> ToSchema for Text<MIN, MAX> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("Text_{MIN}_{MAX}"))
    }
}

/// A value that null takes away; left out, it keeps its value.
#[derive(Clone, Copy, Debug)]
pub(super) struct OrNull<T>(pub(super) Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OrNull<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self)
    }
}

impl<T: PartialSchema> PartialSchema for OrNull<T> {
    fn schema() -> RefOr<Schema> {
        let null = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Null));
        Schema::from(OneOfBuilder::new().item(T::schema()).item(null).build()).into()
    }
}

impl<T: ToSchema> ToSchema for OrNull<T> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("{}_or_null", T::name()))
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "what is tested is whether it reads")]
    struct Body {
        #[serde(default)]
        lease: Given<Span<100, 43_200_000>>,
        #[serde(default)]
        max: Given<Whole<1, 1000>>,
        #[serde(default)]
        ttl: Given<OrNull<Span<1, 1000>>>,
    }

    fn read(json: &str) -> Result<Body, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn a_value_at_the_edge_of_its_range_is_taken_and_one_beyond_is_not() {
        for good in [r#"{"lease":"100ms"}"#, r#"{"lease":"12h"}"#, r#"{"max":1}"#, r#"{"max":1000}"#] {
            assert!(read(good).is_ok(), "{good}");
        }
        for bad in [
            r#"{"lease":"99ms"}"#,
            r#"{"lease":"721m"}"#,
            r#"{"max":0}"#,
            r#"{"max":1001}"#,
            r#"{"max":1.5}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_word_is_a_text_and_nothing_else() {
        #[derive(Debug, PartialEq, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        enum Order {
            AsPublished,
        }
        let read = |json: &str| serde_json::from_str::<Word<Order>>(json).map(|Word(order)| order);
        assert_eq!(read(r#""as-published""#).unwrap(), Order::AsPublished);
        for json in [r#"{"as-published":null}"#, r#"["as-published"]"#, r#""published""#, "0"] {
            assert!(read(json).is_err(), "{json}");
        }
    }

    #[test]
    fn null_is_refused_but_where_it_takes_a_value_away() {
        assert!(read(r#"{"lease":null}"#).is_err());
        assert!(read("{}").unwrap().ttl.is_none());
        assert!(matches!(*read(r#"{"ttl":null}"#).unwrap().ttl, Some(OrNull(None))));
        assert!(matches!(*read(r#"{"ttl":"1s"}"#).unwrap().ttl, Some(OrNull(Some(_)))));
    }
}
