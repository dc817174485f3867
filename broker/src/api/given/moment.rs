//! A time, or a word that stands for one.

use std::borrow::Cow;

use broker_core::settings::Start;
use serde::{Deserialize, Deserializer, de::Error};
use units::Timestamp;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, OneOfBuilder, RefOr, Schema, SchemaFormat, schema::Type},
};

/// How a time that is given shows in the schema: no earlier than 1970, as [`units::Timestamp`] reads it.
#[derive(Clone, Copy, Debug)]
pub(in crate::api) struct Moment;

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
pub(in crate::api) struct Beginning(pub(in crate::api) Start);

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
pub(in crate::api) struct Since(pub(in crate::api) Option<Timestamp>);

impl Since {
    /// Reads a text.
    pub(in crate::api) fn parse(text: &str) -> Result<Self, &'static str> {
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
