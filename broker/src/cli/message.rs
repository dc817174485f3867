//! A message as it is shown at a terminal.

use std::io;

use owo_colors::OwoColorize as _;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    human::{beginning, clean},
    output::Output,
};

/// What stands in place of a message that is not as it was stored: the broker does not show it.
const DAMAGED: &str = "damaged";

/// How many letters of a message's data a row has at the most: about what a terminal has room for in one.
const PREVIEW: usize = 400;

/// What is shown of a CloudEvent.
#[derive(Debug, Deserialize)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) r#type: String,
    pub(super) partitionkey: Option<String>,
    data: Option<Box<RawValue>>,
    data_base64: Option<String>,
}

impl Message {
    /// Its id, type and key, on one line.
    pub(super) fn head(&self) -> String {
        head(&self.id, &self.r#type, self.partitionkey.as_deref())
    }

    /// Its data: text as it is, JSON as it was published, all else in base64.
    fn data(&self) -> String {
        match (&self.data, &self.data_base64) {
            (Some(data), _) => {
                let text = serde_json::from_str::<String>(data.get());
                clean(text.as_deref().unwrap_or(data.get())).into_owned()
            }
            (None, Some(base64)) => format!("base64:{}", clean(base64)),
            (None, None) => String::new(),
        }
    }

    /// Writes its data below its head, where it has any.
    pub(super) fn write_data(&self, out: &mut Output) -> io::Result<()> {
        match self.data() {
            data if data.is_empty() => Ok(()),
            data => data.lines().try_for_each(|line| out.line(format_args!("  {line}"))),
        }
    }
}

/// A message's id, type and key, on one line.
pub(super) fn head(id: &str, kind: &str, key: Option<&str>) -> String {
    let key = key.map(|key| format!("  key {}", clean(key))).unwrap_or_default();
    format!("{}  {}{key}", clean(id).bold(), clean(kind).cyan())
}

/// A message's id, type and the beginning of its data, for a row; of a damaged one that it is.
pub(super) fn cells(message: Option<&Message>) -> [String; 3] {
    match message {
        Some(message) => [message.id.clone(), message.r#type.clone(), beginning(message.data(), PREVIEW)],
        None => ["-", "-", DAMAGED].map(ToOwned::to_owned),
    }
}

/// Writes a message's data below its head, where it has any; of a damaged one that it is.
pub(super) fn write_data(message: Option<&Message>, out: &mut Output) -> io::Result<()> {
    match message {
        Some(message) => message.write_data(out),
        None => out.line(format_args!("  {}", DAMAGED.red())),
    }
}
