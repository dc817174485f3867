//! The outbox as a person sees it: what waits, what was set aside, and what can be done about that.

use futures_util::future::join_all;
use messaging::{Database, DatabaseError, Event, Outbox, outbox};
use sqlx::{ConnectOptions as _, Connection as _};
use tempfile::TempDir;

use crate::{
    broker::{event, number},
    database,
};

/// Says an event, and commits.
pub(crate) async fn say(database: &Database, event: &Event) {
    let event = event.clone();
    let said = database.write(move |connection| {
        Box::pin(async move { Ok::<_, DatabaseError>(outbox::add(connection, "orders", &event).await?) })
    });
    said.await.unwrap();
}

#[tokio::test]
async fn what_was_rolled_back_was_not_said() {
    let folder = TempDir::new().unwrap();
    let database = database::open(&folder).await;
    let said = database.write(|connection| {
        Box::pin(async move {
            outbox::add(connection, "orders", &event("k", 1)).await?;
            Err::<(), _>(DatabaseError::Closed)
        })
    });
    assert!(said.await.is_err());
    assert_eq!(Outbox::new(database).status().await.unwrap().depth, 0);
}

#[tokio::test]
async fn depth_and_age_tell_of_what_waits() {
    let folder = TempDir::new().unwrap();
    let database = database::open(&folder).await;
    let outbox = Outbox::new(database.clone());
    let empty = serde_json::to_value(outbox.status().await.unwrap()).unwrap();
    assert_eq!(empty, serde_json::json!({"depth": 0, "oldest_age": null, "set_aside": []}));
    say(&database, &event("a", 1)).await;
    say(&database, &event("a", 2)).await;
    let status = outbox.status().await.unwrap();
    assert_eq!(status.depth, 2);
    assert!(status.oldest_age.is_some());
}

#[tokio::test]
async fn what_is_not_set_aside_can_be_neither_retried_nor_deleted() {
    let folder = TempDir::new().unwrap();
    let database = database::open(&folder).await;
    let event = event("a", 1);
    say(&database, &event).await;
    let outbox = Outbox::new(database);
    assert!(!outbox.retry(event.id()).await.unwrap());
    assert!(!outbox.delete(event.id()).await.unwrap());
    assert_eq!(outbox.status().await.unwrap().depth, 1);
}

/// What was said, in the order in which it will go.
async fn said(database: &Database) -> Vec<u64> {
    let rows: Vec<Vec<u8>> = sqlx::query_scalar("SELECT event FROM outbox ORDER BY position")
        .fetch_all(database.reader())
        .await
        .unwrap();
    rows.into_iter().map(|row| number(&Event::from_json(row.into()).unwrap())).collect()
}

#[tokio::test]
async fn of_many_that_commit_together_each_says_its_own_and_those_that_fail_say_nothing() {
    let folder = TempDir::new().unwrap();
    let database = database::open(&folder).await;
    let works = (0..100).map(|n| {
        database.write(move |connection| {
            Box::pin(async move {
                outbox::add(connection, "orders", &event("k", n)).await?;
                outbox::add(connection, "orders", &event("k", n + 1000)).await?;
                if n % 10 == 0 { Err(DatabaseError::Closed) } else { Ok(()) }
            })
        })
    });
    let kept = join_all(works).await.iter().filter(|result| result.is_ok()).count();
    let expected: Vec<u64> = (0..100).filter(|n| n % 10 != 0).flat_map(|n| [n, n + 1000]).collect();
    assert_eq!((kept, said(&database).await), (90, expected));
}

#[tokio::test]
async fn it_can_be_said_on_a_transaction_of_ones_own() {
    let folder = TempDir::new().unwrap();
    let database = database::open(&folder).await;
    let file = folder.path().join("service.sqlite");
    let mut connection = sqlx::sqlite::SqliteConnectOptions::new().filename(file).connect().await.unwrap();
    for (n, commit) in [(1, true), (2, false)] {
        let mut transaction = connection.begin().await.unwrap();
        outbox::add(&mut transaction, "orders", &event("k", n)).await.unwrap();
        if commit { transaction.commit().await.unwrap() } else { transaction.rollback().await.unwrap() }
    }
    assert_eq!(said(&database).await, [1]);
}
