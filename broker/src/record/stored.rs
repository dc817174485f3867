//! Reading attributes back from a stored event, for lists. Data is skipped, not built.

use std::borrow::Cow;

use serde::Deserialize;

/// The attributes that lists show, borrowed from the record where no character is escaped.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Attributes<'a> {
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

impl<'a> Attributes<'a> {
    /// Reads them from a stored event.
    ///
    /// # Errors
    /// When the record is not what [`Event::encode`](super::Event::encode) writes: a damaged store.
    pub fn read(record: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Data, Event, ExtensionValue};

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
        let attributes = Attributes::read(&record).unwrap();
        assert_eq!((&*attributes.id, &*attributes.source, &*attributes.kind), ("1", "/s", "t"));
        assert_eq!(attributes.subject.as_deref(), Some("ö\"x"));
        assert_eq!(attributes.key.as_deref(), Some("k\n1"));
        assert!(matches!(attributes.id, Cow::Borrowed(_)));
    }
}
