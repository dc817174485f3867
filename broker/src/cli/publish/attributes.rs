//! The attributes of an event as flags, as headers (binary mode) and as JSON members (a batch).

use std::collections::HashMap;

use clap::Args;
use http::HeaderName;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::cli::{call::Call, failure::Failure};

/// What the CloudEvents HTTP binding encodes in a header, besides all that is not ASCII.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%');

/// What is said about an event besides its data. What is left out the broker fills in.
#[derive(Args, Debug)]
#[command(next_help_heading = "Attributes of the event")]
pub(super) struct Attributes {
    /// Its id: with its source it is what duplicates are known by [default: a new one]
    #[arg(long, conflicts_with = "lines")]
    id: Option<String>,
    /// Its source [default: /queues/QUEUE or /topics/TOPIC]
    #[arg(long)]
    pub(super) source: Option<String>,
    /// Its type [default: message]
    #[arg(long)]
    pub(super) r#type: Option<String>,
    /// Its subject
    #[arg(long)]
    subject: Option<String>,
    /// Its partition key: what order is kept by
    #[arg(long)]
    key: Option<String>,
    /// Any further attribute; can be given again for another one
    #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = attribute)]
    others: Vec<(String, String)>,
    /// The content type of its data
    #[arg(long, value_name = "TYPE")]
    pub(super) content_type: Option<String>,
}

fn attribute(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("is not NAME=VALUE")?;
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if name.is_empty() || !name.bytes().all(fits) {
        return Err("an attribute's name has lower-case letters and digits alone".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}

impl Attributes {
    /// Those that were given, by their names, but for the content type.
    pub(super) fn named(&self) -> impl Iterator<Item = (&str, &str)> {
        let flags = self.flags().into_iter().filter_map(|(_, name, value)| Some((name, value?)));
        flags.chain(self.others.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }

    /// The flags that are an attribute each, with its name and what was given.
    fn flags(&self) -> [(&'static str, &'static str, Option<&str>); 5] {
        [
            ("--id", "id", self.id.as_deref()),
            ("--source", "source", self.source.as_deref()),
            ("--type", "type", self.r#type.as_deref()),
            ("--subject", "subject", self.subject.as_deref()),
            ("--key", "partitionkey", self.key.as_deref()),
        ]
    }

    /// Refuses an attribute that is given twice, by whatever flags: which one is meant nobody knows.
    ///
    /// # Errors
    /// [`Failure::Usage`], which names both.
    pub(super) fn check(&self, lines: bool) -> Result<(), Failure> {
        let content_type = ("--content-type", "datacontenttype", self.content_type.as_deref());
        let flags = self.flags().into_iter().chain([content_type]);
        let mut given: HashMap<&str, String> =
            flags.filter_map(|(flag, name, value)| Some((name, format!("{flag} {}", value?)))).collect();
        if lines {
            given.insert("id", "--lines".to_owned());
        }
        for (name, value) in &self.others {
            let again = format!("--attribute {name}={value}");
            if let Some(first) = given.insert(name, again.clone()) {
                return Err(Failure::Usage(format!("{first} and {again} both say what {name:?} is")));
            }
        }
        Ok(())
    }

    /// As `ce-*` headers.
    pub(super) fn on(&self, mut call: Call) -> Result<Call, Failure> {
        for (name, value) in self.named() {
            let name = HeaderName::try_from(format!("ce-{name}")).expect("letters and digits alone");
            call = call.header(name, &utf8_percent_encode(value, ENCODED).to_string())?;
        }
        Ok(call)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_is_a_name_and_a_value() {
        assert_eq!(attribute("region=eu=1"), Ok(("region".to_owned(), "eu=1".to_owned())));
        for text in ["region", "=eu", "Region=eu", "my-region=eu"] {
            assert!(attribute(text).is_err(), "{text}");
        }
    }
}
