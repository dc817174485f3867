//! An event that is read and checked, on its way to what the core and the store take.

use std::borrow::Cow;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use broker_core::{
    command::{NewMessage, When},
    filter,
};

use super::{attributes::Attributes, fault::Fault, options::Options};
use crate::{
    api::identity::{self, Content},
    record::{Data, Event, ExtensionValue},
};

/// Data as a request brought it.
#[derive(Debug)]
pub(super) enum Payload<'a> {
    /// None, or bytes whose content type says what they are.
    Bytes(Cow<'a, [u8]>),
    /// A JSON value out of a structured event, kept verbatim.
    Token(&'a str),
}

impl Payload<'_> {
    /// Decodes a structured event's `data_base64`.
    pub(super) fn from_base64(text: &str) -> Result<Self, Fault> {
        let bytes = BASE64_STANDARD.decode(text);
        let bytes = bytes.map_err(|error| Fault::of("data_base64", format!("is not base64: {error}")))?;
        Ok(Self::Bytes(Cow::Owned(bytes)))
    }
}

/// A checked event.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) id: Cow<'a, str>,
    /// Whether the publisher gave the id; ids that the broker made are not remembered.
    pub(super) id_given: bool,
    pub(super) source: Cow<'a, str>,
    pub(super) kind: Cow<'a, str>,
    /// The attributes besides: id, source and type in it are not looked at.
    pub(super) rest: Attributes<'a>,
    pub(super) payload: Payload<'a>,
}

impl Draft<'_> {
    /// Whether its data is within a limit, and its attributes are, being so many bytes of JSON. Data counts as
    /// in binary mode, so that what was received can be published again as it is.
    pub(super) fn fits(&self, json: usize, limit: usize) -> bool {
        json <= limit || {
            let event = self.event();
            event.size() - event.data.size() <= limit && self.data(&event).len() <= limit
        }
    }

    /// Makes the message, and its id for the answer.
    pub(super) fn finish(mut self, options: &Options, to_topic: bool) -> (String, NewMessage) {
        if let Some(trace) = &options.trace
            && !self.rest.extensions.iter().any(|(name, _)| name == "traceparent")
        {
            self.rest.extensions.retain(|(name, _)| name != "tracestate");
            self.rest.extensions.extend(trace.extensions());
        }
        let event = self.event();
        let message = NewMessage {
            identity: identity::of_message(&self.source, &self.id),
            deduplicate: self.id_given,
            fingerprint: self.fingerprint(&event),
            key: self.rest.extension("partitionkey").map(Into::into),
            size: u32::try_from(event.size()).unwrap_or(u32::MAX),
            available: self.rest.available.map(When::At).or(options.delay.map(When::After)),
            expires: self.rest.expires.map(When::At).or(options.ttl.map(When::After)),
            attributes: if to_topic { event.attributes() } else { filter::Attributes::new() },
            record: event.encode(),
        };
        (self.id.into_owned(), message)
    }

    /// All attributes with their values as texts: what filters look at.
    pub(super) fn attributes(&self) -> filter::Attributes {
        self.event().attributes()
    }

    fn event(&self) -> Event<'_> {
        let content_type = self.rest.content_type.as_deref();
        Event {
            id: &self.id,
            source: &self.source,
            kind: &self.kind,
            subject: self.rest.subject.as_deref(),
            time: self.rest.time.as_deref(),
            content_type,
            schema: self.rest.schema.as_deref(),
            extensions: &self.rest.extensions,
            data: match &self.payload {
                Payload::Bytes(bytes) => Data::received(content_type, bytes),
                Payload::Token(json) => Data::Json(json),
            },
        }
    }

    /// The same for the same message, whichever form it came in.
    fn fingerprint(&self, event: &Event<'_>) -> u64 {
        let (content_type, key) = (self.content_type(), self.rest.extension("partitionkey"));
        let data = &*self.data(event);
        Content { kind: event.kind, subject: event.subject, key, content_type, data }.fingerprint()
    }

    /// What its data is, said or not.
    fn content_type(&self) -> Option<&str> {
        let token = matches!(self.payload, Payload::Token(_));
        self.rest.content_type.as_deref().or(token.then_some("application/json"))
    }

    /// Its data as binary mode has it.
    fn data<'a>(&self, event: &Event<'a>) -> Cow<'a, [u8]> {
        Cow::Borrowed(match event.data {
            Data::None => &[],
            Data::Json(json) if json.starts_with('"') && !is_json(self.content_type()) => {
                let text: String = serde_json::from_str(json).unwrap_or_else(|_| json.to_owned());
                return Cow::Owned(text.into_bytes());
            }
            Data::Json(json) => json.trim_ascii().as_bytes(),
            Data::Text(text) => text.as_bytes(),
            Data::Binary(bytes) => bytes,
        })
    }
}

/// Whether data of that type is JSON: shown by what becomes of a text that is.
fn is_json(content_type: Option<&str>) -> bool {
    matches!(Data::received(content_type, b"0"), Data::Json(_))
}

impl super::trace::Trace {
    fn extensions(&self) -> impl Iterator<Item = (String, ExtensionValue)> {
        let parent = ("traceparent".to_owned(), ExtensionValue::Text(self.parent.clone()));
        let state = self.state.clone().map(|state| ("tracestate".to_owned(), ExtensionValue::Text(state)));
        std::iter::once(parent).chain(state)
    }
}
