//! The outbox as a person sees it: what waits, what was set aside, and what can be done about that.

use messaging::{Database, DatabaseError, Event, Outbox, outbox};
use tempfile::TempDir;

use crate::{broker::event, database};

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
