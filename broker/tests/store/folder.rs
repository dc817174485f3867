//! The data folder: one broker at a time, and nothing that a newer version wrote.

use std::{fs::Permissions, os::unix::fs::PermissionsExt as _, path::Path};

use broker::{
    engine::{self, EngineSettings, fatal::AbortProcess},
    store::{StoreError, folder::DataFolder, sqlite::SqliteStore},
};

use crate::running::Running;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Nobody else may read a folder or any file in it.
pub(crate) fn assert_is_its_owners_alone(folder: &Path) {
    assert_eq!(mode(folder), 0o700, "{}", folder.display());
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[tokio::test]
async fn a_second_broker_on_the_same_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    assert!(matches!(DataFolder::open(folder.path()), Err(StoreError::InUse(_))));
    running.stop().await;
    Running::start(folder.path()).await.stop().await;
}

#[tokio::test]
async fn what_a_broker_keeps_is_its_owners_alone() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("new/data");
    let running = Running::start(&folder).await;
    running.queue("jobs").await;
    assert_is_its_owners_alone(&folder);
    for file in ["broker.sqlite", "broker.sqlite-wal", "broker.sqlite-shm"] {
        assert!(folder.join(file).exists(), "{file}");
    }
    running.stop().await;
    Running::start(&folder).await.stop().await;
    assert_is_its_owners_alone(&folder);
}

#[tokio::test]
async fn whom_a_folder_was_opened_to_it_stays_open_to() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o750)).unwrap();
    Running::start(folder.path()).await.stop().await;
    let file = folder.path().join("broker.sqlite");
    std::fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
    Running::start(folder.path()).await.stop().await;
    assert_eq!(mode(folder.path()), 0o750);
    assert_eq!(mode(&file), 0o640);
}

#[tokio::test]
async fn data_of_a_newer_version_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    Running::start(folder.path()).await.stop().await;
    let file = folder.path().join("broker.sqlite");
    let database = rusqlite::Connection::open(file).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    drop(database);

    let locked = DataFolder::open(folder.path()).unwrap();
    let open = move || SqliteStore::open(locked).map(|store| Box::new(store) as _);
    let (broker, thread) = engine::start(EngineSettings::default(), open, AbortProcess).unwrap();
    broker.ready().await.unwrap_err();
    let why = thread.stopped().await.unwrap_err().to_string();
    assert!(why.contains("version 99") && why.contains("newer"), "{why}");
}

#[tokio::test]
async fn a_database_whose_making_was_cut_short_is_made() {
    for sql in ["", "PRAGMA journal_mode = WAL"] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("broker.sqlite");
        std::fs::write(&file, "").unwrap();
        let database = rusqlite::Connection::open(file).unwrap();
        database.execute_batch(sql).unwrap();
        drop(database);
        let running = Running::start(folder.path()).await;
        running.queue("jobs").await;
        running.stop().await;
    }
}
