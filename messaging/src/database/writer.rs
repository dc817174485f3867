//! The one writer: takes all units of work that wait, runs them in one transaction, commits, and only
//! then lets their callers know. A synced commit costs milliseconds, a unit microseconds: so one commit
//! serves all who wait for it.
//!
//! ```text
//! all go well  BEGIN IMMEDIATE · what they hear · batch · batch · batch · what they said · COMMIT
//! one fails    ROLLBACK, and again with each unit in a SAVEPOINT, so that it is undone alone
//! ```
//! What the units hear is noted for all of them at once before they run, and what they said to the outbox
//! is written for all at once before the COMMIT. Which units make a batch: `database/batch.rs`.

use std::{collections::HashSet, io, sync::Arc, thread};

use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::{
    DatabaseError,
    batch::batches,
    executor,
    pending::{self, Row},
    unit::{Outcome, Unit},
    upkeep::Upkeep,
};
use crate::inbox::{self, Heard};

/// How many units share a commit at most: bounds how long the first of them waits.
const MAX_GROUP: usize = 128;

/// What the writer is told.
pub(super) enum Order {
    Unit(Box<dyn Unit>),
    /// Finish, close the file, and tell.
    Close(oneshot::Sender<()>),
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
async fn group(connection: &mut SqliteConnection, mut units: Vec<Box<dyn Unit>>) {
    let mut committed = together(connection, &mut units).await;
    if matches!(committed, Ok(Group::Undone)) && units.len() > 1 {
        committed = one_by_one(connection, &mut units).await;
    }
    if let Err(error) = &committed {
        tracing::error!(error = %error, units = units.len(), "database_commit_failed");
        undo_all(connection).await;
    }
    let committed = committed.map(|_| ()).map_err(Arc::new);
    for unit in units {
        unit.tell(committed.clone().map_err(DatabaseError::Commit));
    }
}

/// What became of a group.
enum Group {
    Committed,
    /// A unit failed, and nothing of any unit is kept.
    Undone,
}

/// Runs all units and commits, unless one of them fails. Few do, so that a savepoint for each is not
/// worth its two statements.
async fn together(
    connection: &mut SqliteConnection,
    units: &mut [Box<dyn Unit>],
) -> Result<Group, sqlx::Error> {
    let mut first_heard = begin(connection, units).await?;
    let mut said = Vec::new();
    let news = units.iter_mut().map(|unit| &mut **unit).filter_map(|unit| unheard(unit, &mut first_heard));
    for mut batch in batches(news) {
        if attempt(connection, &mut batch, &mut said).await == Outcome::Undo {
            undo_all(connection).await;
            return Ok(Group::Undone);
        }
    }
    commit(connection, &said).await
}

/// Runs each unit in a savepoint of its own, so that what fails is undone alone; and commits.
async fn one_by_one(
    connection: &mut SqliteConnection,
    units: &mut [Box<dyn Unit>],
) -> Result<Group, sqlx::Error> {
    let mut first_heard = begin(connection, units).await?;
    let mut said = Vec::new();
    for unit in units {
        let heard = unit.hears().cloned();
        let Some(unit) = unheard(&mut **unit, &mut first_heard) else { continue };
        execute(connection, "SAVEPOINT unit").await?;
        match attempt(connection, &mut [unit], &mut said).await {
            Outcome::Keep => execute(connection, "RELEASE unit").await?,
            Outcome::Undo => {
                execute(connection, "ROLLBACK TO unit; RELEASE unit").await?;
                // The same event may come to a later unit, which then is the first to hear it.
                first_heard.extend(heard);
            }
        }
    }
    for unheard in first_heard {
        inbox::forget(connection, &unheard).await?;
    }
    commit(connection, &said).await
}

/// Begins the transaction and notes for all units at once what they hear; answers what is heard for the
/// first time.
async fn begin(
    connection: &mut SqliteConnection,
    units: &[Box<dyn Unit>],
) -> Result<HashSet<Heard>, sqlx::Error> {
    let heard: Vec<_> = units.iter().filter_map(|unit| unit.hears().cloned()).collect();
    inbox::begin(connection, &heard).await
}

/// The unit, unless it is for an event that was heard before: then it is told so.
fn unheard<'u>(unit: &'u mut dyn Unit, first_heard: &mut HashSet<Heard>) -> Option<&'u mut dyn Unit> {
    if unit.hears().is_some_and(|heard| !first_heard.remove(heard)) {
        unit.skip();
        return None;
    }
    Some(unit)
}

/// Runs a batch. What its units said is kept if they are.
async fn attempt(
    connection: &mut SqliteConnection,
    batch: &mut [&mut dyn Unit],
    said: &mut Vec<Row>,
) -> Outcome {
    let Some((first, others)) = batch.split_first_mut() else { return Outcome::Keep };
    pending::begin();
    let outcome = first.run(others, connection).await;
    let said_now = pending::end();
    if outcome == Outcome::Keep {
        said.extend(said_now);
    }
    outcome
}

async fn commit(connection: &mut SqliteConnection, said: &[Row]) -> Result<Group, sqlx::Error> {
    pending::commit(connection, said).await?;
    Ok(Group::Committed)
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
