//! The data folder: one broker at a time, and nothing that a newer version wrote.

use broker::{
    engine::{self, EngineSettings, fatal::AbortProcess},
    store::{StoreError, folder::DataFolder, sqlite::SqliteStore},
};

use crate::running::Running;

#[tokio::test]
async fn a_second_broker_on_the_same_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path()).await;
    assert!(matches!(DataFolder::open(folder.path()), Err(StoreError::InUse(_))));
    running.stop().await;
    Running::start(folder.path()).await.stop().await;
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
