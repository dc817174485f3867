//! A message as it is shown at a terminal.

use std::io;

use owo_colors::OwoColorize as _;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{human::clean, output::Output};

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
        let key = self.partitionkey.as_ref().map(|key| format!("  key {}", clean(key))).unwrap_or_default();
        format!("{}  {}{key}", clean(&self.id).bold(), clean(&self.r#type).cyan())
    }

    /// Its data: text as it is, JSON as it was published, all else in base64.
    pub(super) fn data(&self) -> String {
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
