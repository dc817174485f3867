//! Messages named by their ids and sources, whatever stands in those.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::json;
use tokio::runtime::Runtime;

use super::server::{Server, ids};

/// Any characters that an attribute may have. A path can't end in `.` or `..`, encoded or not: clients take them for the folder.
fn any_name() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC{1,30}", "[%+/?#&=;:@\"\\\\ .~]{1,6}", vec_of_characters()]
        .prop_filter("a path can't name it", |name| name != "." && name != "..")
}

fn vec_of_characters() -> impl Strategy<Value = String> {
    let character = any::<char>().prop_filter("a control character", |character| !character.is_control());
    proptest::collection::vec(character, 1..12).prop_map(|characters| characters.into_iter().collect())
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Publishes a message in one mode or the other, looks at it by its name, and removes it.
async fn come_and_go(server: &Server, id: &str, source: &str, binary: bool) {
    let published = if binary {
        let (id, source) = (encoded(id), encoded(source));
        server.publish("/queues/jobs", &[("ce-id", &id), ("ce-source", &source)], "x").await
    } else {
        let event = json!({"specversion": "1.0", "id": id, "source": source, "type": "t"});
        server.publish_json("/queues/jobs", &event.to_string()).await
    };
    assert_eq!(published.status, 201, "{id:?} of {source:?}: {published:?}");
    assert_eq!(published.json()["id"], id);
    let path = format!("/messages/{}?source={}", encoded(id), encoded(source));
    let journey = server.get(&path).await;
    assert_eq!((journey.status, &journey.json()["id"]), (200, &json!(id)), "{path}");
    let waiting = server.get("/queues/jobs/messages").await.json();
    assert_eq!(ids(waiting["items"].as_array().unwrap()), [id]);
    let other = server.delete(&format!("/queues/jobs{path}x")).await;
    other.problem(404, "message-not-found");
    assert_eq!(server.delete(&format!("/queues/jobs{path}")).await.status, 204, "{path}");
}

#[test]
fn a_message_is_found_and_removed_by_its_id_and_source_whatever_they_are() {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(Server::with_queue("jobs", json!({"deduplication_window": "0s"})));
    let mut runner = TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
    runner
        .run(&(any_name(), any_name(), any::<bool>()), |(id, source, binary)| {
            runtime.block_on(come_and_go(&server, &id, &source, binary));
            Ok(())
        })
        .unwrap();
}
