//! Values of request bodies that carry their own range: what is out of it is refused where it is read,
//! and the OpenAPI schema says exactly the same. A field left out is told from one set to null.

use std::{borrow::Cow, fmt, marker::PhantomData, ops::Deref};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ObjectBuilder, OneOfBuilder, RefOr, Schema,
        schema::{SchemaType, Type},
    },
};

mod distinct;
mod moment;
mod number;
mod pattern;
mod span;
mod text;
mod word;

pub(super) use distinct::Distinct;
pub(super) use moment::{Beginning, Moment, Since};
pub(super) use number::{Bytes, Whole};
pub(super) use span::Span;
pub(super) use text::Text;
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
