//! A CloudEvents 1.0 event: our own envelope over the bytes as received. How it is read stands in
//! `event/parse.rs`, how it is written in `event/render.rs`; what the data means is the reader's matter.

mod attribute;
mod parse;
mod render;

use std::sync::Arc;

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use units::Timestamp;
use uuid::Uuid;

use self::attribute::Attribute;
pub use self::parse::InvalidEvent;

/// One event. It is immutable but for the builder methods, and cheap to clone.
///
/// The data is kept byte for byte: `1.10`, integers beyond 64 bits and doubled keys come out as they
/// went in. An event that was received and not changed is given on in the very bytes it came in.
#[derive(Clone, Debug)]
pub struct Event {
    envelope: Arc<Envelope>,
}

/// What an event holds. `source` + `id` is its identity.
#[derive(Clone, Debug)]
struct Envelope {
    id: String,
    source: String,
    kind: String,
    /// All the other attributes, in the order in which they came.
    attributes: Vec<(String, Attribute)>,
    data: Data,
    /// The structured JSON that it was read from, as long as nothing was changed.
    received: Option<Bytes>,
}

/// The data, in the form that structured mode gives it.
#[derive(Clone, Debug)]
enum Data {
    None,
    /// One JSON value, verbatim.
    Json(Bytes),
    /// A text that stands as a JSON string in `data`.
    Text(Bytes),
    /// Bytes that stand in `data_base64`.
    Binary(Bytes),
}

/// Why an event's data can't be read as what its reader expects.
#[derive(Debug, thiserror::Error)]
#[error("the data of an event of type {kind:?} can't be read")]
pub struct DecodeError {
    kind: String,
    source: serde_json::Error,
}

impl Event {
    /// A new event with JSON data: its id is a UUID of version 7, its time is now.
    ///
    /// # Panics
    /// When `data` can't be JSON, such as a map whose keys are no texts: a mistake in the program.
    #[must_use]
    pub fn new(source: &str, kind: &str, data: &impl Serialize) -> Self {
        let json = serde_json::to_vec(data).expect("what is published is made of structs that serialize");
        Self::with_data(source, kind, "application/json", Data::Json(json.into()))
    }

    /// A new event whose data is bytes of that content type, not JSON.
    #[must_use]
    pub fn binary(source: &str, kind: &str, content_type: &str, data: impl Into<Bytes>) -> Self {
        Self::with_data(source, kind, content_type, Data::Binary(data.into()))
    }

    fn with_data(source: &str, kind: &str, content_type: &str, data: Data) -> Self {
        let attributes = vec![
            ("time".to_owned(), Attribute::Text(Timestamp::now().to_string())),
            ("datacontenttype".to_owned(), Attribute::Text(content_type.to_owned())),
        ];
        let envelope = Envelope {
            id: Uuid::now_v7().to_string(),
            source: source.to_owned(),
            kind: kind.to_owned(),
            attributes,
            data,
            received: None,
        };
        Self { envelope: Arc::new(envelope) }
    }

    /// A new event that follows from this one: it has this one's partition key, trace and correlation
    /// id (or this one's id, where this began it), and names this one as its cause.
    #[must_use]
    pub fn caused(&self, source: &str, kind: &str, data: &impl Serialize) -> Self {
        let mut caused = Self::new(source, kind, data)
            .with_correlation_id(self.correlation_id().unwrap_or_else(|| self.id()))
            .with_causation_id(self.id());
        for name in ["partitionkey", "traceparent", "tracestate"] {
            if let Some(value) = self.extension(name) {
                caused = caused.with_extension(name, value);
            }
        }
        caused
    }

    /// The same with another id.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        let envelope = self.changed();
        envelope.id = id.into();
        self
    }

    /// The same about that subject.
    #[must_use]
    pub fn with_subject(self, subject: impl Into<String>) -> Self {
        self.with_extension("subject", subject)
    }

    /// The same with the key that its order is kept by.
    #[must_use]
    pub fn with_partition_key(self, key: impl Into<String>) -> Self {
        self.with_extension("partitionkey", key)
    }

    /// The same as part of the conversation of that id.
    #[must_use]
    pub fn with_correlation_id(self, id: impl Into<String>) -> Self {
        self.with_extension("correlationid", id)
    }

    /// The same, caused by the event of that id.
    #[must_use]
    pub fn with_causation_id(self, id: impl Into<String>) -> Self {
        self.with_extension("causationid", id)
    }

    /// The same in that trace (W3C `traceparent`).
    #[must_use]
    pub fn with_traceparent(self, traceparent: impl Into<String>) -> Self {
        self.with_extension("traceparent", traceparent)
    }

    /// The same with an extension of that name: lower-case letters and digits, by CloudEvents.
    #[must_use]
    pub fn with_extension(mut self, name: &str, value: impl Into<String>) -> Self {
        debug_assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{name:?}");
        let value = Attribute::Text(value.into());
        let attributes = &mut self.changed().attributes;
        match attributes.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = value,
            None => attributes.push((name.to_owned(), value)),
        }
        self
    }

    /// The envelope to change; what it was read from is then no longer what it is.
    fn changed(&mut self) -> &mut Envelope {
        let envelope = Arc::make_mut(&mut self.envelope);
        envelope.received = None;
        envelope
    }

    /// Its id, unique within its source.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.envelope.id
    }

    /// Who says it.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.envelope.source
    }

    /// Its `type`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.envelope.kind
    }

    /// What it is about.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.extension("subject")
    }

    /// When it happened; none too where it says no time that we can read.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        self.extension("time")?.parse().ok()
    }

    /// The content type of the data.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.extension("datacontenttype")
    }

    /// What its order is kept by.
    #[must_use]
    pub fn partition_key(&self) -> Option<&str> {
        self.extension("partitionkey")
    }

    /// The conversation that it is part of.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.extension("correlationid")
    }

    /// The id of the event that caused it.
    #[must_use]
    pub fn causation_id(&self) -> Option<&str> {
        self.extension("causationid")
    }

    /// Its W3C trace context, as text.
    #[must_use]
    pub fn traceparent(&self) -> Option<&str> {
        self.extension("traceparent")
    }

    /// Any attribute but id, source and type, as text: `true` and `12` come without quotes.
    #[must_use]
    pub fn extension(&self, name: &str) -> Option<&str> {
        let found = self.envelope.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The data, byte for byte; empty when there is none.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        match &self.envelope.data {
            Data::None => &[],
            Data::Json(bytes) | Data::Text(bytes) | Data::Binary(bytes) => bytes,
        }
    }

    /// The data as `T`, read from JSON.
    ///
    /// # Errors
    /// [`DecodeError`] when it is not JSON, or not of that shape.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        serde_json::from_slice(self.data())
            .map_err(|source| DecodeError { kind: self.kind().to_owned(), source })
    }

    /// The event in structured mode: the very bytes it was read from, where it was not changed since.
    #[must_use]
    pub fn to_json(&self) -> Bytes {
        self.envelope.received.clone().unwrap_or_else(|| render::structured(&self.envelope))
    }

    /// Reads an event in structured mode. The data stays where it is: the bytes are shared, not copied.
    ///
    /// # Errors
    /// [`InvalidEvent`] when it is not JSON, lacks a required attribute, or names one twice.
    pub fn from_json(json: Bytes) -> Result<Self, InvalidEvent> {
        parse::structured(json).map(|envelope| Self { envelope: Arc::new(envelope) })
    }
}

#[cfg(test)]
mod tests;
