//! Reads an event from structured JSON. The data stays a slice of the bytes that came.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::de::{Deserializer as _, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Attribute, Data, Envelope};

/// Why bytes are not an event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidEvent {
    /// Not one JSON object of the shape that CloudEvents has.
    #[error("not a CloudEvent in JSON: {0}")]
    Malformed(String),
    /// A required attribute is not there, is empty, or is not a text.
    #[error("the event lacks {0:?}, or it is not a text")]
    Lacks(&'static str),
    /// Another version of CloudEvents than 1.0.
    #[error("specversion {0:?} is not \"1.0\"")]
    Version(String),
}

/// The members of the object, before the attributes that must be there are asked for.
#[derive(Default)]
struct Members<'a> {
    attributes: Vec<(String, Attribute)>,
    data: Option<&'a RawValue>,
    base64: Option<String>,
}

pub(super) fn structured(json: Bytes) -> Result<Envelope, InvalidEvent> {
    let malformed = |error: serde_json::Error| InvalidEvent::Malformed(error.to_string());
    let mut reader = serde_json::Deserializer::from_slice(&json);
    let mut members = reader.deserialize_map(MembersVisitor).map_err(malformed)?;
    reader.end().map_err(malformed)?;

    let version = members.take("specversion")?;
    if version != "1.0" {
        return Err(InvalidEvent::Version(version));
    }
    let id = members.take("id")?;
    let source = members.take("source")?;
    let kind = members.take("type")?;
    let data = data(&json, &members)?;
    Ok(Envelope { id, source, kind, attributes: members.attributes, data, received: Some(json) })
}

impl Members<'_> {
    /// Takes out an attribute that must be there.
    fn take(&mut self, name: &'static str) -> Result<String, InvalidEvent> {
        let at = self.attributes.iter().position(|(known, _)| known == name);
        match at.map(|at| self.attributes.remove(at).1) {
            Some(Attribute::Text(text)) if !text.is_empty() => Ok(text),
            _ => Err(InvalidEvent::Lacks(name)),
        }
    }

    /// Without a content type, data is JSON by the CloudEvents JSON format.
    fn is_json(&self) -> bool {
        let content_type = self.attributes.iter().find(|(name, _)| name == "datacontenttype");
        let Some((_, content_type)) = content_type else { return true };
        let essence = content_type.as_str().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        essence.ends_with("/json") || essence.ends_with("+json")
    }
}

fn data(json: &Bytes, members: &Members<'_>) -> Result<Data, InvalidEvent> {
    match (members.data, &members.base64) {
        (None, None) => Ok(Data::None),
        (Some(_), Some(_)) => Err(InvalidEvent::Malformed("both data and data_base64 are there".to_owned())),
        (None, Some(text)) => BASE64_STANDARD
            .decode(text)
            .map(|bytes| Data::Binary(bytes.into()))
            .map_err(|error| InvalidEvent::Malformed(format!("data_base64: {error}"))),
        (Some(raw), None) if raw.get().starts_with('"') && !members.is_json() => {
            let text: String = serde_json::from_str(raw.get())
                .map_err(|error| InvalidEvent::Malformed(format!("data: {error}")))?;
            Ok(Data::Text(text.into()))
        }
        (Some(raw), None) => Ok(Data::Json(json.slice_ref(raw.get().as_bytes()))),
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the attributes of an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Members::default();
        while let Some(name) = map.next_key::<String>()? {
            let doubled = || A::Error::custom(format_args!("{name:?} stands there twice"));
            match name.as_str() {
                "data" => {
                    if members.data.replace(map.next_value()?).is_some() {
                        return Err(doubled());
                    }
                }
                "data_base64" => {
                    if members.base64.is_some() {
                        return Err(doubled());
                    }
                    members.base64 = map.next_value()?;
                }
                _ => {
                    if members.attributes.iter().any(|(known, _)| *known == name) {
                        return Err(doubled());
                    }
                    let value = Attribute::read(map.next_value()?).map_err(A::Error::custom)?;
                    members.attributes.extend(value.map(|value| (name, value)));
                }
            }
        }
        Ok(members)
    }
}
