//! Discarding dead letters by ids or by a filter.

use serde_json::json;

use super::{JOBS, listed, with_letters};

const LETTERS: [(&str, &str, &str); 3] = [
    ("1", "order.placed", "card declined"),
    ("2", "order.placed", "timeout"),
    ("3", "other", "card expired"),
];

#[tokio::test]
async fn only_what_fits_the_filter_is_discarded() {
    let server = with_letters(&LETTERS).await;
    let purge = format!("{JOBS}/purge");
    let answer = server.post(&purge, json!({"type": "order.placed", "reason": "card"})).await;
    assert_eq!(answer.json(), json!({"purged": 1}));
    assert_eq!(listed(&server.get(JOBS).await.json()), ["3", "2"]);
    assert_eq!(server.post(&purge, json!({"until": "2020-01-01T00:00:00Z"})).await.json()["purged"], 0);
    assert_eq!(server.post(&purge, json!({"since": "2020-01-01T00:00:00Z"})).await.json()["purged"], 2);
    assert_eq!(server.counts("jobs").await["discarded"], 3);
}

#[tokio::test]
async fn by_ids_those_that_are_there_are_discarded() {
    let server = with_letters(&LETTERS).await;
    let answer = server.post(&format!("{JOBS}/purge"), json!({"ids": ["3", "none", "1", "1"]})).await;
    assert_eq!(answer.json(), json!({"purged": 2}));
    assert_eq!(listed(&server.get(JOBS).await.json()), ["2"]);
}

#[tokio::test]
async fn ids_and_a_filter_together_are_refused() {
    let server = with_letters(&LETTERS).await;
    for call in ["purge", "redrive"] {
        let body = json!({"ids": ["1"], "reason": "card"});
        server.post(&format!("{JOBS}/{call}"), body).await.invalid("ids");
        server.post(&format!("{JOBS}/{call}"), json!({"since": "yesterday"})).await.invalid("since");
    }
    assert_eq!(server.counts("jobs").await["dead"], 3);
}
