//! The attributes of an event as they are gathered from headers or JSON members, checked one by one as
//! CloudEvents 1.0 has them.

use std::borrow::Cow;

use units::Timestamp;

use super::fault::Fault;
use crate::record::ExtensionValue;

/// What is wrong with a text that [`has_controls`].
pub(super) const CONTROLS: &str =
    "has control characters in it (U+0000 to U+001F, U+007F to U+009F), which no attribute may have";

/// A value as it was received.
#[derive(Debug)]
pub(super) enum Value<'a> {
    /// Any text; from a header always this.
    Text(Cow<'a, str>),
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number of 32 bits.
    Integer(i32),
}

/// What was gathered so far.
#[derive(Debug, Default)]
pub(super) struct Attributes<'a> {
    /// What stands before an attribute's name in the request: `ce-` in headers.
    prefix: &'static str,
    specversion: Option<Cow<'a, str>>,
    pub(super) id: Option<Cow<'a, str>>,
    pub(super) source: Option<Cow<'a, str>>,
    pub(super) kind: Option<Cow<'a, str>>,
    pub(super) subject: Option<Cow<'a, str>>,
    pub(super) time: Option<Cow<'a, str>>,
    pub(super) content_type: Option<Cow<'a, str>>,
    pub(super) schema: Option<Cow<'a, str>>,
    pub(super) extensions: Vec<(String, ExtensionValue)>,
    /// When it can first be received (`deliverat`).
    pub(super) available: Option<Timestamp>,
    /// When it expires (`expiresat`).
    pub(super) expires: Option<Timestamp>,
}

impl<'a> Attributes<'a> {
    /// None yet; in the request their names begin with `prefix`.
    pub(super) fn with_prefix(prefix: &'static str) -> Self {
        Self { prefix, ..Self::default() }
    }

    /// Takes one more attribute.
    pub(super) fn set(&mut self, name: &str, value: Value<'a>) -> Result<(), Fault> {
        let prefix = self.prefix;
        let place = match name {
            "specversion" => &mut self.specversion,
            "id" => &mut self.id,
            "source" => &mut self.source,
            "type" => &mut self.kind,
            "subject" => &mut self.subject,
            "time" => &mut self.time,
            "datacontenttype" => &mut self.content_type,
            "dataschema" => &mut self.schema,
            _ => return self.extend(name, value),
        };
        let fault = |detail: &str| Fault::of(format!("{prefix}{name}"), detail);
        let Value::Text(text) = value else { return Err(fault("is not a text")) };
        match name {
            _ if place.is_some() => Err(fault("is given twice")),
            _ if text.is_empty() => Err(fault("is empty")),
            _ if has_controls(&text) => Err(fault(CONTROLS)),
            "specversion" if text != "1.0" => Err(fault("is not \"1.0\", the version that is spoken here")),
            "time" if text.parse::<Timestamp>().is_err() => Err(fault("is not a time as RFC 3339 writes it")),
            _ => {
                *place = Some(text);
                Ok(())
            }
        }
    }

    fn extend(&mut self, name: &str, value: Value<'a>) -> Result<(), Fault> {
        let fault = |detail: &str| Fault::of(format!("{}{name}", self.prefix), detail);
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
            return Err(fault("is not an attribute's name: lower-case letters and digits"));
        }
        if self.extensions.iter().any(|(other, _)| other == name) {
            return Err(fault("is given twice"));
        }
        if matches!(&value, Value::Text(text) if has_controls(text)) {
            return Err(fault(CONTROLS));
        }
        let time = || match &value {
            Value::Text(text) => text.parse::<Timestamp>().map_err(|error| fault(&error.to_string())),
            _ => Err(fault("is not a time as RFC 3339 writes it")),
        };
        match name {
            "deliverat" => self.available = Some(time()?),
            "expiresat" => self.expires = Some(time()?),
            "partitionkey" if !matches!(&value, Value::Text(text) if !text.is_empty()) => {
                return Err(fault("is not a text, or empty"));
            }
            _ => {}
        }
        self.extensions.push((name.to_owned(), value.into()));
        Ok(())
    }

    /// Checks that what CloudEvents requires was given.
    pub(super) fn require_all(&self) -> Result<(), Fault> {
        let required = [
            ("specversion", &self.specversion),
            ("id", &self.id),
            ("source", &self.source),
            ("type", &self.kind),
        ];
        match required.into_iter().find(|(_, value)| value.is_none()) {
            Some((name, _)) => {
                Err(Fault::of(name, "is missing: an event needs specversion, id, source and type"))
            }
            None => Ok(()),
        }
    }

    /// The text of an extension.
    pub(super) fn extension(&self, name: &str) -> Option<&str> {
        self.extensions.iter().find_map(|(other, value)| match value {
            ExtensionValue::Text(text) if other == name => Some(text.as_str()),
            _ => None,
        })
    }
}

impl From<Value<'_>> for ExtensionValue {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Text(text) => Self::Text(text.into_owned()),
            Value::Boolean(flag) => Self::Boolean(flag),
            Value::Integer(number) => Self::Integer(number),
        }
    }
}

/// Whether a text holds what CloudEvents forbids in one (section 3.1, String): it would break lines and headers
/// of whoever writes it on.
pub(super) fn has_controls(text: &str) -> bool {
    text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value<'_> {
        Value::Text(Cow::Borrowed(text))
    }

    fn refused(name: &str, value: Value<'_>) {
        assert!(Attributes::default().set(name, value).is_err(), "{name}");
    }

    #[test]
    fn what_breaks_the_rules_of_an_attribute_is_refused() {
        refused("specversion", text("0.3"));
        refused("id", text(""));
        refused("id", Value::Integer(1));
        refused("time", text("yesterday"));
        refused("partitionkey", text(""));
        refused("partitionkey", Value::Boolean(true));
        refused("deliverat", text("soon"));
        for control in ["\0", "a\n", "\t", "\u{7f}", "\u{9f}"] {
            refused("subject", text(control));
            refused("myextension", text(control));
        }
        for name in ["", "Key", "my-key", "my_key", "ä"] {
            refused(name, text("x"));
        }
    }

    #[test]
    fn an_attribute_that_is_given_twice_is_refused_by_its_name() {
        let mut attributes = Attributes::with_prefix("ce-");
        for name in ["id", "key1"] {
            attributes.set(name, text("a")).unwrap();
            let fault = attributes.set(name, text("b")).unwrap_err();
            assert_eq!(fault, Fault::of(format!("ce-{name}"), "is given twice"));
        }
    }
}
