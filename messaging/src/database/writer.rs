//! The one writer: takes all units of work that wait, runs them in one transaction, commits, and only
//! then lets their callers know. A synced commit costs milliseconds, a unit microseconds: so one commit
//! serves all who wait for it.
//!
//! ```text
//! alone:     BEGIN IMMEDIATE            · unit ·                          COMMIT
//! in a group BEGIN IMMEDIATE; SAVEPOINT · unit · RELEASE; SAVEPOINT · unit · COMMIT
//! one fails                             · unit · ROLLBACK TO        · unit ·
//! ```

use std::sync::Arc;

use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::{
    DatabaseError,
    unit::{Outcome, Unit},
    upkeep::Upkeep,
};

/// How many units share a commit at most: bounds how long the first of them waits.
const MAX_GROUP: usize = 128;

/// What the writer is told.
pub(super) enum Order {
    Unit(Box<dyn Unit>),
    /// Finish, close the file, and tell.
    Close(oneshot::Sender<()>),
}

type Commits = Vec<Box<dyn FnOnce(Result<(), DatabaseError>) + Send>>;

pub(super) async fn run(mut connection: SqliteConnection, mut orders: mpsc::Receiver<Order>) {
    let mut upkeep = Upkeep::new();
    let mut waiting = Vec::with_capacity(MAX_GROUP);
    let mut closing = None;
    while closing.is_none() {
        tokio::select! {
            taken = orders.recv_many(&mut waiting, MAX_GROUP) => {
                if taken == 0 {
                    break;
                }
                closing = serve(&mut connection, waiting.drain(..)).await;
            }
            () = tokio::time::sleep_until(upkeep.due()) => {
                let (work, answered) = Upkeep::work();
                group(&mut connection, vec![work]).await;
                upkeep.done(answered);
            }
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
    let mut commits: Commits = Vec::with_capacity(units.len());
    let mut broken = None;
    for unit in units {
        if let Some(error) = &broken {
            unit.refuse(DatabaseError::Commit(Arc::clone(error)));
            continue;
        }
        if let Err(error) = one(connection, unit, alone, &mut commits).await {
            broken = Some(Arc::new(error));
        }
    }
    finish(connection, commits, broken).await;
}

/// Runs one unit. An error means that the whole transaction is lost.
async fn one(
    connection: &mut SqliteConnection,
    unit: Box<dyn Unit>,
    alone: bool,
    commits: &mut Commits,
) -> Result<(), sqlx::Error> {
    match unit.run(connection).await {
        Outcome::Keep(commit) => {
            commits.push(commit);
            if alone { Ok(()) } else { execute(connection, "RELEASE unit; SAVEPOINT unit").await }
        }
        Outcome::Undo(tell) => {
            let undone = if alone { Ok(()) } else { execute(connection, "ROLLBACK TO unit").await };
            tell();
            undone
        }
    }
}

/// Commits if there is anything to keep, and tells those whose work it was.
async fn finish(connection: &mut SqliteConnection, commits: Commits, broken: Option<Arc<sqlx::Error>>) {
    let committed = match broken {
        Some(error) => Err(error),
        None if commits.is_empty() => return undo_all(connection).await,
        None => execute(connection, "COMMIT").await.map_err(Arc::new),
    };
    if let Err(error) = &committed {
        tracing::error!(error = %error, units = commits.len(), "database_commit_failed");
        undo_all(connection).await;
    }
    for commit in commits {
        commit(committed.clone().map_err(DatabaseError::Commit));
    }
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
