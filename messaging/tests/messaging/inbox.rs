//! The inbox: an event takes effect once.

use std::time::Duration;

use futures_util::future::join_all;
use messaging::{Database, DatabaseError, Event, inbox};
use tempfile::TempDir;
use units::Timestamp;

use crate::{broker::event, database};

/// Writes a note if the event comes for the first time, and then fails if told to. Answers whether it did.
async fn handle(
    database: &Database,
    consumer: &'static str,
    event: &Event,
    fail: bool,
) -> Result<bool, DatabaseError> {
    let heard = database.hear(consumer, event, move |connection| {
        Box::pin(async move {
            sqlx::query("INSERT INTO notes (n) VALUES (NULL)").execute(connection).await?;
            if fail { Err(DatabaseError::Closed) } else { Ok(()) }
        })
    });
    heard.await.map(|done| done.is_some())
}

#[tokio::test]
async fn of_a_hundred_deliveries_over_two_instances_one_has_an_effect() {
    let folder = TempDir::new().unwrap();
    let (one, other) = (database::open(&folder).await, database::open(&folder).await);
    let event = event("k", 1);
    let deliveries =
        (0..100).map(|n| handle(if n % 2 == 0 { &one } else { &other }, "payment", &event, false));
    let effects = join_all(deliveries).await.into_iter().filter(|first| *first.as_ref().unwrap()).count();
    assert_eq!((effects, database::noted(&one).await.len()), (1, 1));
}

#[tokio::test]
async fn a_failed_attempt_was_not_heard_so_that_the_next_has_the_effect() {
    let folder = TempDir::new().unwrap();
    let database = database::open(&folder).await;
    let event = event("k", 1);
    assert!(handle(&database, "payment", &event, true).await.is_err());
    assert!(handle(&database, "payment", &event, false).await.unwrap());
    assert_eq!(database::noted(&database).await.len(), 1);
}

#[tokio::test]
async fn in_a_group_where_the_first_to_hear_an_event_fails_the_next_has_the_effect() {
    let folder = TempDir::new().unwrap();
    let database = database::open(&folder).await;
    let (event, other) = (event("k", 1), event("k", 2));
    let (go, held) = database::hold_writer(&database).await;
    let (failed, done, again, lost, ()) = tokio::join!(
        handle(&database, "payment", &event, true),
        handle(&database, "payment", &event, false),
        handle(&database, "payment", &event, false),
        handle(&database, "payment", &other, true),
        async { go.notify_one() }
    );
    held.await.unwrap().unwrap();
    assert!(failed.is_err() && done.unwrap() && !again.unwrap() && lost.is_err());
    assert!(handle(&database, "payment", &other, false).await.unwrap(), "what only failed was not heard");
    assert_eq!(database::noted(&database).await.len(), 2);
}

#[tokio::test]
async fn a_caller_may_hear_on_a_transaction_of_its_own() {
    let folder = TempDir::new().unwrap();
    let database = database::open(&folder).await;
    let event = event("k", 1);
    let file = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join("service.sqlite"));
    let mut connection = sqlx::ConnectOptions::connect(&file).await.unwrap();
    for keep in [false, true] {
        let mut own = sqlx::Connection::begin(&mut connection).await.unwrap();
        assert!(inbox::first_time(&mut own, "payment", &event).await.unwrap());
        assert!(!inbox::first_time(&mut own, "payment", &event).await.unwrap());
        if keep { own.commit().await.unwrap() } else { own.rollback().await.unwrap() }
    }
    assert!(!handle(&database, "payment", &event, false).await.unwrap());
}

#[tokio::test]
async fn each_consumer_hears_for_itself_and_an_id_belongs_to_its_source() {
    let folder = TempDir::new().unwrap();
    let database = database::open(&folder).await;
    let event = event("k", 1);
    let other_source = Event::new("/other", "numbered", &1).with_id(event.id());
    assert!(handle(&database, "payment", &event, false).await.unwrap());
    assert!(handle(&database, "email", &event, false).await.unwrap());
    assert!(handle(&database, "payment", &other_source, false).await.unwrap());
}

#[tokio::test]
async fn what_is_older_than_the_retention_is_forgotten_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let database = database::open(&folder).await;
    let event = event("k", 1);
    handle(&database, "payment", &event, false).await.unwrap();
    assert_eq!(prune(&database, Timestamp::from_millis(1)).await, 0);
    assert!(!handle(&database, "payment", &event, false).await.unwrap());
    assert_eq!(prune(&database, Timestamp::now().plus(Duration::from_secs(1))).await, 1);
    assert!(handle(&database, "payment", &event, false).await.unwrap());
}

async fn prune(database: &Database, before: Timestamp) -> u64 {
    let pruned = database.write(move |connection| {
        Box::pin(async move { Ok::<_, DatabaseError>(inbox::prune(connection, before, 1000).await?) })
    });
    pruned.await.unwrap()
}
