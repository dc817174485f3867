//! Reading attributes back from a stored event, for lists. Data is skipped, not built.

use std::{borrow::Cow, collections::BTreeMap};

use broker_core::filter::Attributes;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The attributes that lists show, borrowed from the record where no character is escaped.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Listed<'a> {
    /// The event's id.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// Its source.
    #[serde(borrow)]
    pub source: Cow<'a, str>,
    /// Its type.
    #[serde(borrow, rename = "type")]
    pub kind: Cow<'a, str>,
    /// Its subject.
    #[serde(borrow, default)]
    pub subject: Option<Cow<'a, str>>,
    /// The content type of its data.
    #[serde(borrow, default, rename = "datacontenttype")]
    pub content_type: Option<Cow<'a, str>>,
    /// Its partition key.
    #[serde(borrow, default, rename = "partitionkey")]
    pub key: Option<Cow<'a, str>>,
}

impl From<Head> for Listed<'_> {
    fn from(head: Head) -> Self {
        let Head { id, source, kind } = head;
        let (subject, content_type, key) = (None, None, None);
        Self { id: id.into(), source: source.into(), kind: kind.into(), subject, content_type, key }
    }
}

impl<'a> Listed<'a> {
    /// Reads them from a stored event.
    ///
    /// # Errors
    /// When the record is not what [`Event::encode`](super::Event::encode) writes: a damaged store.
    pub fn read(record: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(record)
    }
}

/// Which event a record is, read from its beginning alone: what is known of one that is damaged further on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The event's id.
    pub id: String,
    /// Its source.
    pub source: String,
    /// Its type.
    pub kind: String,
}

impl Head {
    /// Reads as far as it can; what it can't read is empty.
    #[must_use]
    pub fn of_damaged(record: &[u8]) -> Self {
        let mut rest = record;
        let mut next = |name: &str| {
            let text = rest.strip_prefix(name.as_bytes())?;
            let mut texts = serde_json::Deserializer::from_slice(text).into_iter::<String>();
            let value = texts.next()?.ok()?;
            rest = &text[texts.byte_offset()..];
            Some(value)
        };
        let id = next(r#"{"specversion":"1.0","id":"#).unwrap_or_default();
        let source = next(r#","source":"#).unwrap_or_default();
        Self { id, source, kind: next(r#","type":"#).unwrap_or_default() }
    }
}

/// All attributes of a stored event with their values as texts: what filters look at.
///
/// # Errors
/// When the record is not what [`Event::encode`](super::Event::encode) writes: a damaged store.
pub fn all_attributes(record: &[u8]) -> Result<Attributes, serde_json::Error> {
    let members: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_slice(record)?;
    let attributes = members.into_iter().filter(|(name, _)| name != "data" && name != "data_base64");
    attributes.map(|(name, value)| Ok((name.into_owned(), as_text(value)?))).collect()
}

/// The id, source and type of a stored event, which stand first in it. What comes after is not read, so
/// that this costs the same whatever the data's size. `None` for what is no stored event.
#[must_use]
pub fn names(record: &[u8]) -> Option<[Cow<'_, str>; 3]> {
    let mut rest = record;
    let mut next = |name: &str| {
        rest = rest.strip_prefix(name.as_bytes())?;
        let mut texts = serde_json::Deserializer::from_slice(rest).into_iter::<Text<'_>>();
        let Text(text) = texts.next()?.ok()?;
        rest = &rest[texts.byte_offset()..];
        Some(text)
    };
    Some([next(r#"{"specversion":"1.0","id":"#)?, next(r#","source":"#)?, next(r#","type":"#)?])
}

/// A text, borrowed where no character of it is escaped.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Texts without their quotes; numbers and booleans are their own canonical texts.
fn as_text(value: &RawValue) -> Result<String, serde_json::Error> {
    if value.get().starts_with('"') { serde_json::from_str(value.get()) } else { Ok(value.get().to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Data, Event, ExtensionValue};

    #[test]
    fn of_a_damaged_record_its_beginning_is_read_as_far_as_it_goes() {
        let event = |data| Event {
            id: "a\"1",
            source: "/s",
            kind: "t",
            subject: None,
            time: None,
            content_type: None,
            schema: None,
            extensions: &[],
            data,
        };
        let record = event(Data::Text("x")).encode();
        let head = Head { id: "a\"1".to_owned(), source: "/s".to_owned(), kind: "t".to_owned() };
        assert_eq!(Head::of_damaged(&record), head);
        let cut = record.len() - 5;
        assert_eq!(Head::of_damaged(&record[..cut]), head);
        let mut broken = record.to_vec();
        let at = broken.windows(4).position(|part| part == b"\"/s\"").unwrap();
        broken[at] = b'\'';
        assert_eq!(Head::of_damaged(&broken), Head { id: "a\"1".to_owned(), ..Head::default() });
        assert_eq!(Head::of_damaged(b""), Head::default());
    }

    #[test]
    fn attributes_are_read_back_whatever_the_data() {
        let extensions = [("partitionkey".to_owned(), ExtensionValue::Text("k\n1".to_owned()))];
        let record = Event {
            id: "1",
            source: "/s",
            kind: "t",
            subject: Some("ö\"x"),
            time: None,
            content_type: Some("application/json"),
            schema: None,
            extensions: &extensions,
            data: Data::Json(r#"{"id":"another","id":1e999}"#),
        }
        .encode();
        let attributes = Listed::read(&record).unwrap();
        assert_eq!((&*attributes.id, &*attributes.source, &*attributes.kind), ("1", "/s", "t"));
        assert_eq!(attributes.subject.as_deref(), Some("ö\"x"));
        assert_eq!(attributes.key.as_deref(), Some("k\n1"));
        assert!(matches!(attributes.id, Cow::Borrowed(_)));
        let all = all_attributes(&record).unwrap();
        let value = |name: &str| all.get(name);
        assert_eq!((value("subject"), value("partitionkey")), (Some("ö\"x"), Some("k\n1")));
        assert_eq!((value("specversion"), value("data")), (Some("1.0"), None));
    }
}
