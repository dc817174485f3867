//! The data of messages: where it comes from, and what it is when nobody says.

use std::{
    convert::Infallible,
    fs::File,
    io::{self, BufReader, Read},
    path::PathBuf,
};

use anyhow::Context as _;

/// How many bytes are read at a time.
const READ_AT_ONCE: usize = 1 << 18;

/// Data as it is read.
pub(super) type Reader = BufReader<Box<dyn Read>>;

/// Where data comes from.
#[derive(Clone, Debug)]
pub(super) enum Data {
    /// It is the argument itself.
    Given(String),
    /// A file.
    File(PathBuf),
    /// Stdin.
    Stdin,
}

impl Data {
    /// Reads `-`, `@FILE`, or takes the text.
    pub(super) fn parse(text: &str) -> Result<Self, Infallible> {
        Ok(match text.strip_prefix('@') {
            Some(path) => Self::File(path.into()),
            None if text == "-" => Self::Stdin,
            None => Self::Given(text.to_owned()),
        })
    }

    /// What can be read, and how many bytes that is where it is known.
    pub(super) fn open(self) -> anyhow::Result<(Reader, Option<u64>)> {
        let (reader, length): (Box<dyn Read>, _) = match self {
            Self::Given(text) => {
                let length = text.len() as u64;
                (Box::new(io::Cursor::new(text)), Some(length))
            }
            Self::File(path) => {
                let file = File::open(&path).with_context(|| format!("can't read {}", path.display()))?;
                let length = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|it| it.len());
                (Box::new(file), length)
            }
            Self::Stdin => (Box::new(io::stdin()), None),
        };
        Ok((BufReader::with_capacity(READ_AT_ONCE, reader), length))
    }

    /// All of it.
    pub(super) fn read(self) -> anyhow::Result<Vec<u8>> {
        let (mut reader, length) = self.open()?;
        let mut bytes =
            Vec::with_capacity(length.and_then(|it| usize::try_from(it).ok()).unwrap_or_default());
        reader.read_to_end(&mut bytes).context("can't read the data")?;
        Ok(bytes)
    }
}

/// The content type of data when nobody says: JSON where it is an object or array, else text, else bytes.
/// A lone number or word is JSON too, but hardly meant to be.
pub(super) fn content_type(data: &[u8]) -> &'static str {
    let begins = data.iter().find(|byte| !byte.is_ascii_whitespace());
    let is_json = || serde_json::from_slice::<serde::de::IgnoredAny>(data).is_ok();
    match begins {
        Some(b'{' | b'[') if is_json() => "application/json",
        _ if std::str::from_utf8(data).is_ok() => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_type_is_found_by_the_data() {
        assert_eq!(content_type(b" {\"n\":1}\n"), "application/json");
        assert_eq!(content_type(b"[1,2]"), "application/json");
        for text in ["", "42", "true", "{not json", "Gr\u{fc}\u{df}e"] {
            assert_eq!(content_type(text.as_bytes()), "text/plain; charset=utf-8", "{text}");
        }
        assert_eq!(content_type(&[0xff, 0]), "application/octet-stream");
    }
}
