//! Batches: what many callers ask of one kind at once is done by one call, and each hears of its own.

use std::panic::AssertUnwindSafe;

use async_trait::async_trait;
use futures_util::{FutureExt as _, future::join_all};
use messaging::{Batched, Database, DatabaseError, Event, outbox};
use sqlx::SqliteConnection;
use tempfile::TempDir;

use crate::{
    broker::event,
    database::{hold_writer, noted, open},
};

/// Asked for this key, a note panics.
const PANICS: &str = "panics";

/// Notes a number, under a key. A negative one fails.
struct Note {
    key: &'static str,
    n: i64,
}

/// What a note comes to: how many were written by the same call, and what was there before.
#[derive(Debug, PartialEq, Eq)]
struct Noted {
    together: usize,
    before: Vec<i64>,
}

#[async_trait]
impl Batched for Note {
    type Key = &'static str;
    type Done = Noted;
    type Error = DatabaseError;

    fn key(&self) -> &'static str {
        assert_ne!(self.key, PANICS);
        self.key
    }

    async fn carry_out(
        connection: &mut SqliteConnection,
        notes: &[&Self],
    ) -> Result<Vec<Noted>, DatabaseError> {
        let before: Vec<i64> =
            sqlx::query_scalar("SELECT n FROM notes ORDER BY n").fetch_all(&mut *connection).await?;
        for Self { n, .. } in notes {
            sqlx::query("INSERT INTO notes VALUES (?1)").bind(n).execute(&mut *connection).await?;
            outbox::add(connection, "notes", &event("k", n.unsigned_abs())).await?;
        }
        if notes.iter().any(|note| note.n < 0) {
            return Err(on_purpose());
        }
        Ok(notes.iter().map(|_| Noted { together: notes.len(), before: before.clone() }).collect())
    }
}

/// An error that the database does not give by itself.
fn on_purpose() -> DatabaseError {
    sqlx::Error::WorkerCrashed.into()
}

fn is_on_purpose(error: &DatabaseError) -> bool {
    matches!(error, DatabaseError::Sqlite(sqlx::Error::WorkerCrashed))
}

/// Writes all in one group.
async fn together(database: &Database, notes: Vec<Note>) -> Vec<Result<Noted, DatabaseError>> {
    let (go, held) = hold_writer(database).await;
    let writes = join_all(notes.into_iter().map(|note| database.write_batched(note)));
    let (written, ()) = tokio::join!(writes, async { go.notify_one() });
    held.await.unwrap().unwrap();
    written
}

fn note(key: &'static str, n: i64) -> Note {
    Note { key, n }
}

#[tokio::test]
async fn what_waits_of_one_kind_is_done_by_one_call() {
    let folder = TempDir::new().unwrap();
    let database = open(&folder).await;
    let written = together(&database, vec![note("a", 1), note("b", 2), note("c", 3)]).await;
    for written in written {
        assert_eq!(written.unwrap(), Noted { together: 3, before: vec![] });
    }
    assert_eq!(noted(&database).await, [1, 2, 3]);
}

#[tokio::test]
async fn the_second_of_a_key_comes_after_the_first_and_finds_what_that_left() {
    let folder = TempDir::new().unwrap();
    let database = open(&folder).await;
    let notes = vec![note("a", 1), note("a", 2), note("b", 3), note("a", 4)];
    let written: Vec<_> = together(&database, notes).await.into_iter().map(Result::unwrap).collect();
    let noted = |together, before: &[i64]| Noted { together, before: before.to_vec() };
    assert_eq!(written, [noted(2, &[]), noted(1, &[1, 3]), noted(2, &[]), noted(1, &[1, 2, 3])]);
}

#[tokio::test]
async fn in_a_batch_what_fails_is_undone_and_unsaid_alone() {
    let folder = TempDir::new().unwrap();
    let database = open(&folder).await;
    let written = together(&database, vec![note("a", 1), note("b", -2), note("c", 3)]).await;
    assert_eq!(written.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    assert!(written[1].as_ref().is_err_and(is_on_purpose), "{:?}", written[1]);
    assert_eq!(noted(&database).await, [1, 3]);
    assert_eq!(messaging::Outbox::new(database).status().await.unwrap().depth, 2);
}

#[tokio::test]
async fn a_key_that_panics_does_so_in_its_caller_and_the_writer_goes_on() {
    let folder = TempDir::new().unwrap();
    let database = open(&folder).await;
    let panicked = AssertUnwindSafe(database.write_batched(note(PANICS, 1))).catch_unwind().await;
    assert!(panicked.is_err(), "{panicked:?}");
    database.write_batched(note("a", 2)).await.unwrap();
    assert_eq!(noted(&database).await, [2]);
}

/// One event comes twice in one group, each time with a note.
async fn hear_twice(
    database: &Database,
    event: &Event,
    notes: [Note; 2],
) -> [Result<Option<Noted>, DatabaseError>; 2] {
    let (go, held) = hold_writer(database).await;
    let [first, second] = notes.map(|note| database.hear_batched("consumer", event, note));
    let (first, second, ()) = tokio::join!(first, second, async { go.notify_one() });
    held.await.unwrap().unwrap();
    [first, second]
}

#[tokio::test]
async fn an_event_that_comes_twice_in_one_group_is_heard_by_the_first() {
    let folder = TempDir::new().unwrap();
    let database = open(&folder).await;
    let [first, second] = hear_twice(&database, &event("k", 1), [note("a", 1), note("b", 2)]).await;
    assert_eq!(first.unwrap(), Some(Noted { together: 1, before: vec![] }));
    assert_eq!(second.unwrap(), None);
    assert_eq!(noted(&database).await, [1]);
}

#[tokio::test]
async fn an_event_that_comes_twice_in_one_group_is_heard_by_the_second_where_the_first_fails() {
    let folder = TempDir::new().unwrap();
    let database = open(&folder).await;
    let event = event("k", 1);
    let [first, second] = hear_twice(&database, &event, [note("a", -1), note("b", 2)]).await;
    assert!(first.as_ref().is_err_and(is_on_purpose), "{first:?}");
    assert_eq!(second.unwrap(), Some(Noted { together: 1, before: vec![] }));
    assert_eq!(database.hear_batched("consumer", &event, note("c", 3)).await.unwrap(), None);
    assert_eq!(noted(&database).await, [2]);
}

#[tokio::test]
async fn an_event_is_heard_once_in_a_batch_whatever_stands_in_its_id() {
    let folder = TempDir::new().unwrap();
    let database = open(&folder).await;
    let ids = ["plain", "1.0", "true", "null", "\"\\ \n\t\u{1}\u{7f}", "nul \u{0} inside", "é 💥 \u{2028}"];
    let events: Vec<Event> = ids.iter().map(|id| event("k", 1).with_id(*id)).collect();
    for first in [true, false] {
        let (go, held) = hold_writer(&database).await;
        let hears = events.iter().zip(ids).enumerate().map(|(at, (event, key))| {
            let n = i64::try_from(at).unwrap();
            database.hear_batched("consumer", event, Note { key, n })
        });
        let (heard, ()) = tokio::join!(join_all(hears), async { go.notify_one() });
        held.await.unwrap().unwrap();
        for (heard, id) in heard.into_iter().zip(ids) {
            assert_eq!(heard.unwrap().is_some(), first, "{id:?}");
        }
    }
    assert_eq!(noted(&database).await.len(), ids.len());
}

#[tokio::test]
async fn what_was_said_is_stored_as_it_was_said_whatever_stands_in_it() {
    let folder = TempDir::new().unwrap();
    let database = open(&folder).await;
    let texts = ["", "\"\\ \n\t\u{1}", "nul \u{0} inside", "é 💥 \u{2028}"];
    let events: Vec<Event> = texts.iter().map(|text| Event::new("/s", "said", text)).collect();
    let said = events.clone();
    let written = database.write(move |connection| {
        Box::pin(async move {
            for event in &said {
                outbox::add(connection, "notes", event).await?;
            }
            Ok::<_, DatabaseError>(())
        })
    });
    written.await.unwrap();
    let rows: Vec<(Vec<u8>, String, Option<String>)> =
        sqlx::query_as("SELECT event, id, key FROM outbox ORDER BY position")
            .fetch_all(database.reader())
            .await
            .unwrap();
    for (event, (json, id, key)) in events.iter().zip(rows) {
        assert_eq!((event.to_json().as_ref(), event.id(), None), (json.as_slice(), id.as_str(), key));
    }
}
