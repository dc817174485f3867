//! The one writer: takes all units of work that wait, runs them in one transaction, commits, and only
//! then lets their callers know. A synced commit costs milliseconds, a unit microseconds: so one commit
//! serves all who wait for it.
//!
//! ```text
//! alone:     BEGIN IMMEDIATE            · unit ·                          COMMIT
//! in a group BEGIN IMMEDIATE; SAVEPOINT · unit · RELEASE; SAVEPOINT · unit · COMMIT
//! one fails                             · unit · ROLLBACK TO        · unit ·
//! ```
//! What the units said to the outbox is written for all of them at once, just before the COMMIT.

use std::{io, sync::Arc, thread};

use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::{
    DatabaseError, executor,
    unit::{Commit, Outcome, Unit},
    upkeep::Upkeep,
};
use crate::outbox::pending::{self, Row};

/// How many units share a commit at most: bounds how long the first of them waits.
const MAX_GROUP: usize = 128;

/// What the writer is told.
pub(super) enum Order {
    Unit(Box<dyn Unit>),
    /// Finish, close the file, and tell.
    Close(oneshot::Sender<()>),
}

/// What a group's units came to that are kept: whom to tell of the commit, and what they said.
#[derive(Default)]
struct Kept {
    commits: Vec<Commit>,
    said: Vec<Row>,
}

/// Starts the writer on a thread of its own. What units of work spawn or time belongs to the caller's
/// runtime.
pub(super) fn start(connection: SqliteConnection, orders: mpsc::Receiver<Order>) -> io::Result<()> {
    let runtime = tokio::runtime::Handle::current();
    let writer = move || {
        let _context = runtime.enter();
        executor::block_on(run(connection, orders));
    };
    thread::Builder::new().name("database-writer".to_owned()).spawn(writer).map(|_| ())
}

async fn run(mut connection: SqliteConnection, mut orders: mpsc::Receiver<Order>) {
    let mut upkeep = Upkeep::new();
    let mut waiting = Vec::with_capacity(MAX_GROUP);
    let mut closing = None;
    while closing.is_none() && orders.recv_many(&mut waiting, MAX_GROUP).await > 0 {
        closing = serve(&mut connection, waiting.drain(..)).await;
        if upkeep.is_due() {
            let (work, answered) = Upkeep::work();
            group(&mut connection, vec![work]).await;
            upkeep.done(answered);
        }
    }
    orders.close();
    if let Err(error) = connection.close().await {
        tracing::warn!(error = %error, "database_close_failed");
    }
    if let Some(closed) = closing {
        // The one who asked may have given up.
        let _ = closed.send(());
    }
}

/// Does what was ordered, and tells who waits for the end, if anybody.
async fn serve(
    connection: &mut SqliteConnection,
    orders: impl Iterator<Item = Order>,
) -> Option<oneshot::Sender<()>> {
    let mut closing = None;
    let mut units = Vec::new();
    for order in orders {
        match order {
            Order::Unit(unit) => units.push(unit),
            Order::Close(closed) => closing = Some(closed),
        }
    }
    if !units.is_empty() {
        metrics::histogram!("database_group_commit_size").record(size(units.len()));
        group(connection, units).await;
    }
    closing
}

fn size(units: usize) -> f64 {
    u32::try_from(units).map_or(f64::MAX, f64::from)
}

/// Runs the units in one transaction, and answers each.
async fn group(connection: &mut SqliteConnection, units: Vec<Box<dyn Unit>>) {
    let alone = units.len() == 1;
    let begin = if alone { "BEGIN IMMEDIATE" } else { "BEGIN IMMEDIATE; SAVEPOINT unit" };
    if let Err(error) = execute(connection, begin).await {
        // With the savepoint failed, the transaction may be open.
        undo_all(connection).await;
        let error = Arc::new(error);
        units.into_iter().for_each(|unit| unit.refuse(DatabaseError::Commit(Arc::clone(&error))));
        return;
    }
    let mut kept = Kept::default();
    let mut broken = None;
    for unit in units {
        if let Some(error) = &broken {
            unit.refuse(DatabaseError::Commit(Arc::clone(error)));
            continue;
        }
        if let Err(error) = one(connection, unit, alone, &mut kept).await {
            broken = Some(Arc::new(error));
        }
    }
    finish(connection, kept, broken).await;
}

/// Runs one unit. An error means that the whole transaction is lost.
async fn one(
    connection: &mut SqliteConnection,
    unit: Box<dyn Unit>,
    alone: bool,
    kept: &mut Kept,
) -> Result<(), sqlx::Error> {
    pending::begin();
    let outcome = unit.run(connection).await;
    let said = pending::end();
    match outcome {
        Outcome::Keep(commit) => {
            kept.commits.push(commit);
            kept.said.extend(said);
            if alone { Ok(()) } else { execute(connection, "RELEASE unit; SAVEPOINT unit").await }
        }
        Outcome::Undo(tell) => {
            let undone = if alone { Ok(()) } else { execute(connection, "ROLLBACK TO unit").await };
            tell();
            undone
        }
    }
}

/// Writes what the units said and commits, if there is anything to keep; and tells those whose work it
/// was.
async fn finish(connection: &mut SqliteConnection, kept: Kept, broken: Option<Arc<sqlx::Error>>) {
    let committed = match broken {
        Some(error) => Err(error),
        None if kept.commits.is_empty() => return undo_all(connection).await,
        None => commit(connection, &kept.said).await.map_err(Arc::new),
    };
    if let Err(error) = &committed {
        tracing::error!(error = %error, units = kept.commits.len(), "database_commit_failed");
        undo_all(connection).await;
    }
    for commit in kept.commits {
        commit(committed.clone().map_err(DatabaseError::Commit));
    }
}

async fn commit(connection: &mut SqliteConnection, said: &[Row]) -> Result<(), sqlx::Error> {
    pending::write(connection, said).await?;
    execute(connection, "COMMIT").await
}

/// Ends the transaction without keeping anything of it, if one is open.
async fn undo_all(connection: &mut SqliteConnection) {
    // It fails where SQLite rolled back by itself (a full disk does that): then there is nothing to undo.
    let _ = execute(connection, "ROLLBACK").await;
}

/// Each of these texts is prepared once for the connection, whatever number of statements it has.
async fn execute(connection: &mut SqliteConnection, sql: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(sql).execute(&mut *connection).await.map(|_| ())
}
