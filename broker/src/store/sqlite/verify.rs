//! Checks a database: that it is whole, that each message has the bytes that were written, that all that is
//! referred to is there, and that a broker could start from it. It changes nothing, and sees one moment of a
//! database that a broker is using.

mod messages;
mod references;
mod start;

use std::{collections::HashMap, path::Path};

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::{
    FILE, FileSystem,
    connection::{self, Place},
    load,
    read::is_damage,
    write::number,
};
use crate::{
    record::Head,
    store::{
        Progress, StoreError,
        verify::{Fault, FaultKind, Report},
    },
};

/// Checks the database in a folder. Tells how many of how many messages are checked.
///
/// # Errors
/// When there is none, when it is empty or another program's, when it is of another version than this program's, or when it can't be read for another
/// reason than its being damaged.
pub fn verify(folder: &Path, progress: Progress<'_>) -> Result<Report, StoreError> {
    verify_on(folder, FileSystem::MACHINE, progress)
}

/// The same on that file system.
///
/// # Errors
/// What [`verify`] says.
pub fn verify_on(folder: &Path, files: FileSystem, progress: Progress<'_>) -> Result<Report, StoreError> {
    let mut report = Report::default();
    let place = Place { path: folder.join(FILE), vfs: files.vfs };
    let connection = match connection::open_to_look(&place) {
        Err(StoreError::Database(error)) if is_damage(&error) => {
            report.add(Fault::new(FaultKind::Database, format!("it can't be opened: {error}")));
            return Ok(report);
        }
        opened => opened?,
    };
    let mut verifier = Verifier { connection: &connection, names: HashMap::new(), report };
    let checked = verifier.structure();
    verifier.note_damage("its structure can't be read", checked)?;
    let checked = verifier.names();
    verifier.note_damage("the names can't be read", checked)?;
    let checked = verifier.references();
    verifier.note_damage("what refers to something can't be read", checked)?;
    let checked = verifier.messages(progress);
    verifier.note_damage("the messages can't be read", checked)?;
    verifier.start();
    Ok(verifier.report)
}

struct Verifier<'c> {
    connection: &'c Connection,
    /// The names of queues and topics, by their numbers.
    names: HashMap<u32, String>,
    report: Report,
}

impl Verifier<'_> {
    /// SQLite's own check.
    fn structure(&mut self) -> Result<(), StoreError> {
        load::each(self.connection, "PRAGMA integrity_check", |row| {
            let found: String = row.get(0)?;
            if found != "ok" {
                self.fault(FaultKind::Database, found);
            }
            Ok(())
        })
    }

    fn names(&mut self) -> Result<(), StoreError> {
        let sql = "SELECT id, name, 1 FROM queues UNION ALL SELECT id, name, 0 FROM topics";
        load::each(self.connection, sql, |row| {
            let (id, name): (u32, String) = (row.get(0)?, row.get(1)?);
            if row.get(2)? {
                self.report.queues += 1;
            } else {
                self.report.topics += 1;
            }
            if let Some(other) = self.names.insert(id, name.clone()) {
                let detail = format!("{other} and {name} have the same number {id}");
                self.fault(FaultKind::Number, detail);
            }
            Ok(())
        })
    }

    fn fault(&mut self, what: FaultKind, detail: impl Into<String>) {
        self.report.add(Fault::new(what, detail));
    }

    /// A fault that concerns a message, a queue or topic, or both.
    fn fault_of(
        &mut self,
        what: FaultKind,
        sequence: Option<u64>,
        queue: Option<u32>,
        detail: String,
    ) -> Result<(), StoreError> {
        let head = sequence.map(|sequence| self.head(sequence)).transpose()?.flatten().unwrap_or_default();
        let queues = queue.map(|queue| self.name(queue)).into_iter().collect();
        self.report.add(Fault { sequence, queues, ..Fault::new(what, detail).named(head) });
        Ok(())
    }

    /// What is known of a stored message.
    fn head(&self, sequence: u64) -> Result<Option<Head>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT record FROM messages WHERE sequence = ?1")?;
        let read = |row: &Row<'_>| Ok(Head::of_damaged(row.get_ref(0)?.as_blob()?));
        match statement.query_row([number(sequence)], read).optional() {
            Err(error) if is_damage(&error) => Ok(None),
            read => Ok(read?),
        }
    }

    /// A queue's or topic's name, or its number where it has none any more.
    fn name(&self, id: u32) -> String {
        self.names.get(&id).cloned().unwrap_or_else(|| format!("number {id}"))
    }

    /// What can't be read because it is damaged is a fault; what can't be read otherwise ends the check.
    fn note_damage(&mut self, what: &str, checked: Result<(), StoreError>) -> Result<(), StoreError> {
        match checked {
            Err(StoreError::Damaged(why)) => self.fault(FaultKind::Database, format!("{what}: {why}")),
            Err(StoreError::Database(error)) if is_damage(&error) => {
                self.fault(FaultKind::Database, format!("{what}: {error}"));
            }
            checked => return checked,
        }
        Ok(())
    }
}
