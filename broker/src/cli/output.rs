//! What a command writes to stdout: the broker's JSON as it is, or text for people.

use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Stdout, Write as _},
};

use anstream::AutoStream;
use serde::{Serialize, de::DeserializeOwned};

use super::{client::Client, pages::Page, table::Table};

/// Stdout. Colour is taken out where it is no terminal, or where `NO_COLOR` is set.
#[derive(Debug)]
pub(super) struct Output {
    json: bool,
    width: Option<u16>,
    out: AutoStream<Stdout>,
}

impl Output {
    /// Of this process.
    pub(super) fn new(json: bool) -> Self {
        Self { json, width: width(), out: anstream::stdout() }
    }

    /// Whether it is for programs.
    pub(super) const fn is_json(&self) -> bool {
        self.json
    }

    /// Shows an answer: as it is, or as text by `show`.
    pub(super) fn answer<T: DeserializeOwned>(
        &mut self,
        client: &Client,
        body: &[u8],
        show: impl FnOnce(&mut Self, T) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        if self.json {
            return Ok(self.document(body)?);
        }
        Ok(show(self, client.read(body)?)?)
    }

    /// Shows what was found without a broker: as a broker would write it, or as text by `show`.
    pub(super) fn own<T: Serialize>(
        &mut self,
        value: &T,
        show: impl FnOnce(&mut Self, &T) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        if self.json {
            return Ok(self.document(&serde_json::to_vec(value)?)?);
        }
        Ok(show(self, value)?)
    }

    /// Shows a list as a table. That it is empty, or that there is more, is said beside it.
    pub(super) fn list<T: DeserializeOwned>(
        &mut self,
        client: &Client,
        body: &[u8],
        none: impl Display,
        table: impl FnOnce(&[T]) -> Table,
    ) -> anyhow::Result<()> {
        self.answer(client, body, |out, list: Page<T>| {
            match list.items.as_slice() {
                [] => remark(none),
                items => out.table(table(items))?,
            }
            list.remark_on_rest();
            Ok(())
        })
    }

    /// Writes a JSON document on a line of its own.
    pub(super) fn document(&mut self, json: &[u8]) -> io::Result<()> {
        let mut out = self.out.as_inner().lock();
        out.write_all(json)?;
        out.write_all(b"\n")
    }

    /// Writes a line.
    pub(super) fn line(&mut self, text: impl Display) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// Says that something was done that has no answer; nothing in JSON.
    pub(super) fn done(&mut self, what: impl Display) -> anyhow::Result<()> {
        if !self.json {
            self.line(what)?;
        }
        Ok(())
    }

    /// Writes a table.
    pub(super) fn table(&mut self, table: Table) -> io::Result<()> {
        let text = table.render(self.width);
        self.line(text)
    }

    /// Writes all that is held back.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Says something beside the answer, on stderr, to people.
pub(super) fn remark(text: impl Display) {
    // Nowhere is left to say that stderr is closed.
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// How wide a table may be: as the terminal, or as `COLUMNS` says of it. Where there is none a row is a line, for
/// `grep` and `awk`; shells export `COLUMNS` to what is no terminal too.
fn width() -> Option<u16> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let seen = || terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0);
    told.or_else(seen).filter(|width| *width > 0)
}
