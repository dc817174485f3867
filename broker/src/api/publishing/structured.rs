//! Structured mode: one event as a JSON object. Attributes are parsed, data is kept as it stands.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;
use serve::problem::{MALFORMED_JSON, Problem};

use super::{
    attributes::{Attributes, Value},
    draft::{Draft, Payload},
    fault::Fault,
    too_large,
};
use crate::record::nesting::{MAX_LEVELS, is_too_deep};

/// Reads an event with at most `limit` bytes of data that is a whole body.
pub(super) fn read(text: &str, limit: usize) -> Result<Draft<'_>, Problem> {
    let json: &RawValue = serde_json::from_str(text).map_err(|error| malformed(&error))?;
    let draft = event(json)?;
    draft.fits(json.get().len(), limit).then_some(draft).ok_or_else(|| too_large(limit))
}

/// The problem of a body that is not JSON.
pub(super) fn malformed(error: &serde_json::Error) -> Problem {
    Problem::new(&MALFORMED_JSON).detail(format!("the body is not JSON: {error}"))
}

/// Reads an event out of a JSON value.
pub(super) fn event(json: &RawValue) -> Result<Draft<'_>, Fault> {
    let Members(members) =
        serde_json::from_str(json.get()).map_err(|_| Fault::of("body", "is not an event: a JSON object"))?;
    let mut rest = Attributes::default();
    let (mut data, mut data_base64) = (None, None);
    for (name, json) in members {
        match &*name {
            "data" => once(&mut data, &name, json)?,
            "" => return Err(Fault::of("body", "has a member without a name")),
            "data_base64" if json.get() == "null" => {}
            "data_base64" => once(&mut data_base64, &name, json)?,
            // An attribute that is null is one that is not there.
            _ => value(&name, json)?.map_or(Ok(()), |value| rest.set(&name, value))?,
        }
    }
    rest.require_all()?;
    Ok(Draft {
        id_given: true,
        id: rest.id.take().unwrap_or_default(),
        source: rest.source.take().unwrap_or_default(),
        kind: rest.kind.take().unwrap_or_default(),
        rest,
        payload: payload(data, data_base64)?,
    })
}

fn once<'a>(place: &mut Option<&'a RawValue>, name: &str, json: &'a RawValue) -> Result<(), Fault> {
    match place.replace(json) {
        None => Ok(()),
        Some(_) => Err(Fault::of(name, "is given twice")),
    }
}

fn payload<'a>(data: Option<&'a RawValue>, data_base64: Option<&'a RawValue>) -> Result<Payload<'a>, Fault> {
    match (data, data_base64) {
        (Some(_), Some(_)) => {
            Err(Fault::of("data_base64", "stands beside data: an event has one or the other"))
        }
        (Some(json), None) if is_too_deep(json.get()) => {
            Err(Fault::of("data", format!("has more than {MAX_LEVELS} levels of arrays and objects")))
        }
        (Some(json), None) => Ok(Payload::Token(json.get())),
        (None, Some(json)) => Payload::from_base64(&text("data_base64", json)?),
        (None, None) => Ok(Payload::Bytes(Cow::Borrowed(&[]))),
    }
}

/// An attribute's value; `None` for null.
fn value<'a>(name: &str, json: &'a RawValue) -> Result<Option<Value<'a>>, Fault> {
    let wrong = || Fault::of(name, "is not a text, a boolean, or a whole number of 32 bits");
    match json.get() {
        "null" => Ok(None),
        "true" => Ok(Some(Value::Boolean(true))),
        "false" => Ok(Some(Value::Boolean(false))),
        quoted if quoted.starts_with('"') => Ok(Some(Value::Text(text(name, json)?))),
        number => whole(number).map(|number| Some(Value::Integer(number))).ok_or_else(wrong),
    }
}

/// A whole number of 32 bits; `3.0` and `3e0` are such, as JSON Schema has it.
fn whole(number: &str) -> Option<i32> {
    number.parse().ok().or_else(|| {
        let float: f64 = number.parse().ok()?;
        // A float beyond the range becomes its end, which then differs.
        let whole = float as i32;
        (f64::from(whole) == float).then_some(whole)
    })
}

fn text<'a>(name: &str, json: &'a RawValue) -> Result<Cow<'a, str>, Fault> {
    let text = serde_json::from_str::<Text<'_>>(json.get());
    text.map(|Text(text)| text).map_err(|_| Fault::of(name, "is not a text"))
}

/// A text that is borrowed where nothing in it is escaped.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The members of an object, in order, doubled ones too.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Gather;
        impl<'de> Visitor<'de> for Gather {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(8);
                while let Some((Text(name), json)) = map.next_entry()? {
                    members.push((name, json));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Gather)
    }
}
