//! How an event is stored: as the structured-mode JSON text that stands in a delivery's `message`.
//!
//! It is rendered once, when it is published, so that handing it out copies bytes and parses nothing:
//!
//! ```text
//! {"specversion":"1.0","id":…,"source":…,"type":…        always, in this order
//!  ,"subject":…,"time":…,"datacontenttype":…,"dataschema":…   where set
//!  ,EXTENSION:…                                            as received, in their order
//!  ,"data":JSON or text | ,"data_base64":text}             where there is data; always last
//! ```
//!
//! JSON data and extension values stand there byte for byte as they were received. Reading attributes
//! back is in [`stored`]; what data of which content type becomes is in [`data`].

pub mod data;
pub mod nesting;
pub mod stored;

use std::fmt;

use broker_core::filter::Attributes;
use bytes::Bytes;

pub use data::Data;
pub use stored::{Head, Listed, all_attributes};

/// The value of an extension attribute, as the CloudEvents type system has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExtensionValue {
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number of 32 bits.
    Integer(i32),
    /// Any text; from a header always this.
    Text(String),
}

impl fmt::Display for ExtensionValue {
    /// The canonical text of the value, without quotes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(flag) => write!(f, "{flag}"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// An event as it is about to be stored. Borrowed from the request where it can be.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// Unique within the source.
    pub id: &'a str,
    /// Who made it.
    pub source: &'a str,
    /// What kind of event it is (`type`).
    pub kind: &'a str,
    /// What it is about.
    pub subject: Option<&'a str>,
    /// When it happened, as received.
    pub time: Option<&'a str>,
    /// The content type of the data (`datacontenttype`).
    pub content_type: Option<&'a str>,
    /// The schema of the data (`dataschema`).
    pub schema: Option<&'a str>,
    /// Extension attributes in the order received; names are `[a-z0-9]+` and not one of the above.
    pub extensions: &'a [(String, ExtensionValue)],
    /// The data, in the form in which it is given back.
    pub data: Data<'a>,
}

impl Event<'_> {
    /// The stored form.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut out = Vec::with_capacity(192 + self.size());
        out.extend_from_slice(br#"{"specversion":"1.0""#);
        for (name, value) in self.named() {
            if let Some(value) = value {
                put_name(&mut out, name);
                put_text(&mut out, value);
            }
        }
        for (name, value) in self.extensions {
            put_name(&mut out, name);
            put_extension(&mut out, value);
        }
        self.data.put(&mut out);
        out.push(b'}');
        Bytes::from(out)
    }

    /// The bytes of attributes (names and values) and data: what counts against `max_bytes`.
    #[must_use]
    pub fn size(&self) -> usize {
        let named = self.named().into_iter().filter_map(|(name, value)| Some(name.len() + value?.len()));
        let extensions = self.extensions.iter().map(|(name, value)| name.len() + extension_size(value));
        named.chain(extensions).sum::<usize>() + self.data.size()
    }

    /// All attributes with their values as texts: what filters look at.
    #[must_use]
    pub fn attributes(&self) -> Attributes {
        let version = ("specversion", Some("1.0"));
        let bytes = self.size() - self.data.size() + "specversion1.0".len();
        let mut attributes = Attributes::with_capacity(8 + self.extensions.len(), bytes);
        for (name, value) in [version].into_iter().chain(self.named()) {
            value.into_iter().for_each(|value| attributes.push(name, value));
        }
        for (name, value) in self.extensions {
            match value {
                ExtensionValue::Text(text) => attributes.push(name, text),
                other => attributes.push(name, &other.to_string()),
            }
        }
        attributes
    }

    /// The attributes that the specification names, in stored order.
    fn named(&self) -> [(&'static str, Option<&str>); 7] {
        [
            ("id", Some(self.id)),
            ("source", Some(self.source)),
            ("type", Some(self.kind)),
            ("subject", self.subject),
            ("time", self.time),
            ("datacontenttype", self.content_type),
            ("dataschema", self.schema),
        ]
    }
}

fn put_name(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// Writes a text as a JSON string.
fn put_text(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a text always serialises, and a Vec takes every byte");
}

fn put_extension(out: &mut Vec<u8>, value: &ExtensionValue) {
    match value {
        ExtensionValue::Boolean(flag) => out.extend_from_slice(if *flag { b"true" } else { b"false" }),
        ExtensionValue::Integer(number) => out.extend_from_slice(number.to_string().as_bytes()),
        ExtensionValue::Text(text) => put_text(out, text),
    }
}

fn extension_size(value: &ExtensionValue) -> usize {
    match value {
        ExtensionValue::Boolean(_) => 1,
        ExtensionValue::Integer(_) => 4,
        ExtensionValue::Text(text) => text.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event<'a>(
        content_type: Option<&'a str>,
        data: Data<'a>,
        extensions: &'a [(String, ExtensionValue)],
    ) -> Event<'a> {
        Event {
            id: "a\"1",
            source: "/shop",
            kind: "order.placed",
            subject: None,
            time: Some("2026-11-24T04:15:00Z"),
            content_type,
            schema: None,
            extensions,
            data,
        }
    }

    #[test]
    fn json_data_and_attributes_stand_in_the_record_as_received() {
        let extensions = [
            ("partitionkey".to_owned(), ExtensionValue::Text("k".to_owned())),
            ("n".to_owned(), ExtensionValue::Integer(-7)),
            ("flag".to_owned(), ExtensionValue::Boolean(true)),
        ];
        let json = br#" {"n": 1.10, "n": 12345678901234567890123} "#;
        let data = Data::received(Some("application/json"), json);
        let record = event(Some("application/json"), data, &extensions).encode();
        assert_eq!(
            std::str::from_utf8(&record).unwrap(),
            concat!(
                r#"{"specversion":"1.0","id":"a\"1","source":"/shop","type":"order.placed","#,
                r#""time":"2026-11-24T04:15:00Z","datacontenttype":"application/json","#,
                r#""partitionkey":"k","n":-7,"flag":true,"data": {"n": 1.10, "n": 12345678901234567890123} }"#
            )
        );
    }

    #[test]
    fn the_size_is_that_of_names_values_and_data() {
        let bare = event(None, Data::None, &[]).size();
        let with_data = event(None, Data::Binary(&[0; 10]), &[]).size();
        assert_eq!(bare, "id".len() + 3 + "source/shop".len() + "typeorder.placed".len() + "time".len() + 20);
        assert_eq!(with_data, bare + 10);
    }
}
