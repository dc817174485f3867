//! The database: units of work that share a commit, and stand or fall alone.

use std::{os::unix::fs::PermissionsExt as _, panic::AssertUnwindSafe, path::Path, sync::Arc};

use futures_util::{FutureExt as _, future::join_all};
use messaging::{Database, DatabaseError};
use sqlx::{
    SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};
use tempfile::TempDir;
use tokio::sync::Notify;

pub(crate) fn notes() -> Migrator {
    let sql = "CREATE TABLE notes (n INTEGER PRIMARY KEY)".into_sql_str();
    Migrator::with_migrations(vec![Migration::new(1, "notes".into(), MigrationType::Simple, sql, false)])
}

pub(crate) async fn open(folder: &TempDir) -> Database {
    Database::open(&folder.path().join("service.sqlite"), &notes()).await.unwrap()
}

pub(crate) async fn note(database: &Database, n: i64) -> Result<(), DatabaseError> {
    database
        .write(move |connection| {
            Box::pin(async move {
                sqlx::query("INSERT INTO notes VALUES (?1)").bind(n).execute(connection).await?;
                Ok(())
            })
        })
        .await
}

pub(crate) async fn noted(database: &Database) -> Vec<i64> {
    sqlx::query_scalar("SELECT n FROM notes ORDER BY n").fetch_all(database.reader()).await.unwrap()
}

/// Holds the writer until told, so that what is written meanwhile makes one group.
pub(crate) async fn hold_writer(
    database: &Database,
) -> (Arc<Notify>, tokio::task::JoinHandle<Result<(), DatabaseError>>) {
    let (holds, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait, database) = (Arc::clone(&holds), Arc::clone(&go), database.clone());
    let held = tokio::spawn(async move {
        database
            .write(move |_| {
                Box::pin(async move {
                    tell.notify_one();
                    wait.notified().await;
                    Ok(())
                })
            })
            .await
    });
    holds.notified().await;
    (go, held)
}

#[tokio::test]
async fn in_a_group_what_fails_or_panics_is_undone_alone() {
    let folder = TempDir::new().unwrap();
    let database = open(&folder).await;
    let (go, held) = hold_writer(&database).await;
    let fails = database.write(|connection| {
        Box::pin(async move {
            sqlx::query("INSERT INTO notes VALUES (2)").execute(connection).await?;
            Err::<(), DatabaseError>(sqlx::Error::WorkerCrashed.into())
        })
    });
    let panics = AssertUnwindSafe(database.write::<(), DatabaseError>(|connection| {
        Box::pin(async move {
            sqlx::query("INSERT INTO notes VALUES (3)").execute(connection).await?;
            panic!("on purpose")
        })
    }))
    .catch_unwind();
    let group = async {
        tokio::join!(note(&database, 1), fails, panics, note(&database, 4), async { go.notify_one() })
    };
    let (first, failed, panicked, last, ()) = group.await;
    held.await.unwrap().unwrap();
    assert!(first.is_ok() && last.is_ok());
    assert!(matches!(failed, Err(DatabaseError::Sqlite(sqlx::Error::WorkerCrashed))));
    assert_eq!(panicked.unwrap_err().downcast_ref::<&str>(), Some(&"on purpose"));
    assert_eq!(noted(&database).await, [1, 4]);
}

#[tokio::test]
async fn what_fails_or_panics_alone_is_undone_and_the_writer_goes_on() {
    let folder = TempDir::new().unwrap();
    let database = open(&folder).await;
    note(&database, 1).await.unwrap();
    assert!(note(&database, 1).await.is_err());
    let panicked =
        AssertUnwindSafe(database.write::<(), DatabaseError>(|_| panic!("before the future"))).catch_unwind();
    assert!(panicked.await.is_err());
    note(&database, 2).await.unwrap();
    assert_eq!(noted(&database).await, [1, 2]);
}

#[tokio::test]
async fn what_waits_together_is_all_kept() {
    let folder = TempDir::new().unwrap();
    let database = open(&folder).await;
    let results = join_all((0..500).map(|n| note(&database, n))).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(noted(&database).await.len(), 500);
}

#[tokio::test]
async fn an_answer_means_that_another_connection_sees_it() {
    let folder = TempDir::new().unwrap();
    let (database, other) = (open(&folder).await, open(&folder).await);
    for n in 0..20 {
        note(&database, n).await.unwrap();
        assert!(noted(&other).await.contains(&n));
    }
}

#[tokio::test]
async fn several_may_open_one_new_file_at_once_and_write_to_it() {
    let folder = TempDir::new().unwrap();
    let opened = join_all((0..4).map(|_| open(&folder))).await;
    let writes = opened.iter().enumerate().flat_map(|(at, database)| {
        (0..25).map(move |n| note(database, i64::try_from(at).unwrap() * 100 + n))
    });
    assert!(join_all(writes).await.iter().all(Result::is_ok));
    assert_eq!(noted(&opened[0]).await.len(), 100);
}

#[tokio::test]
async fn after_close_writes_are_refused_and_what_was_written_stays() {
    let folder = TempDir::new().unwrap();
    let database = open(&folder).await;
    note(&database, 1).await.unwrap();
    database.close().await;
    assert!(matches!(note(&database, 2).await, Err(DatabaseError::Closed)));
    assert_eq!(noted(&open(&folder).await).await, [1]);
}

#[tokio::test]
async fn a_database_and_the_folder_made_for_it_are_their_owners_alone() {
    let parent = TempDir::new().unwrap();
    let folder = parent.path().join("new/data");
    let database = Database::open(&folder.join("service.sqlite"), &notes()).await.unwrap();
    note(&database, 1).await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for file in ["service.sqlite", "service.sqlite-wal", "service.sqlite-shm"] {
        assert_eq!(mode(&folder.join(file)), 0o600, "{file}");
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("service.sqlite");
    std::fs::write(&file, "not a database, but long enough to look like one might").unwrap();
    assert!(Database::open(&file, &notes()).await.is_err());
    assert!(Database::open(Path::new("/proc/none/service.sqlite"), &notes()).await.is_err());
}
