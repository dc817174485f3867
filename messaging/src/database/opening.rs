//! Opens a database file: settings, migrations, one process at a time.

use std::{
    fs::{DirBuilder, File},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
    time::Duration,
};

use sqlx::{
    ConnectOptions as _, SqliteConnection, SqlitePool,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::DatabaseError;

/// How long a statement waits for another process's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Readers at once. Each is a thread while it is open.
const READERS: u32 = 4;
/// After so long without use a reader's connection is closed.
const READER_IDLE: Duration = Duration::from_secs(60);
/// A checkpoint syncs the database file, so they are made rarely: after so many pages of 4 KiB.
const CHECKPOINT_PAGES: &str = "4000";

pub(super) struct Opened {
    pub(super) writer: SqliteConnection,
    pub(super) reader: SqlitePool,
}

pub(super) async fn open(file: &Path, migrator: &Migrator) -> Result<Opened, DatabaseError> {
    let _turn = turn(file).await?;
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("temp_store", "memory")
        .disable_statement_logging();
    let mut writer = options.connect().await?;
    migrate(&mut writer, migrator).await?;
    let reader = SqlitePoolOptions::new()
        .max_connections(READERS)
        .idle_timeout(READER_IDLE)
        .test_before_acquire(false)
        .connect_lazy_with(options.pragma("query_only", "on"));
    Ok(Opened { writer, reader })
}

/// Waits until no other process opens the same file: switching to the write-ahead log and migrating
/// don't get along with company. The turn ends when the file is dropped.
async fn turn(file: &Path) -> Result<File, DatabaseError> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".opening");
    let (file, folder) = (file.to_owned(), file.parent().map(Path::to_owned));
    let taken = tokio::task::spawn_blocking(move || -> io::Result<File> {
        if let Some(folder) = folder {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let turn = File::create(beside)?;
        turn.lock()?;
        make_private(&file)?;
        Ok(turn)
    });
    Ok(taken.await.map_err(io::Error::other)??)
}

/// Makes an empty file of mode 0600 where there is none, before SQLite makes one that others may read. What
/// SQLite makes beside it gets the same mode.
fn make_private(file: &Path) -> io::Result<()> {
    match File::options().write(true).create_new(true).mode(0o600).open(file) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

async fn migrate(writer: &mut SqliteConnection, migrator: &Migrator) -> Result<(), DatabaseError> {
    let mut ours = sqlx::migrate!("./migrations");
    ours.dangerous_set_table_name("_messaging_migrations");
    // Not `run`: its generic bound keeps the compiler from seeing that the future can be spawned.
    ours.run_direct(None, &mut *writer, false).await?;
    migrator.run_direct(None, &mut *writer, false).await?;
    Ok(())
}
