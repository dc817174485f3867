//! Filters of subscriptions: in the CloudEvents Subscriptions dialect, tried out and in use.

use serde_json::{Value, json};

use super::server::{Answer, Server, event, ids};

const PLACED: &str = "/topics/orders/subscriptions/placed";

async fn test(server: &Server, filter: Value) -> Answer {
    let event = json!({
        "specversion": "1.0", "id": "1", "source": "/shop/eu", "type": "order.placed", "region": "eu", "n": 5,
    });
    server.post("/filters/test", json!({"filter": filter, "event": event})).await
}

#[tokio::test]
async fn a_filter_can_be_tried_on_an_event() {
    let server = Server::start().await;
    let cases = [
        (json!({"exact": {"type": "order.placed", "region": "eu"}}), true),
        (json!({"exact": {"type": "order.placed", "region": "us"}}), false),
        (json!({"exact": {"n": "5"}}), true),
        (json!({"prefix": {"type": "order."}}), true),
        (json!({"suffix": {"source": "/us"}}), false),
        (json!({"all": [{"prefix": {"type": "order."}}, {"suffix": {"source": "/eu"}}]}), true),
        (json!({"any": [{"exact": {"type": "x"}}, {"exact": {"absent": "x"}}]}), false),
        (json!({"not": {"exact": {"absent": "x"}}}), true),
    ];
    for (filter, matches) in cases {
        assert_eq!(test(&server, filter.clone()).await.json(), json!({"matches": matches}), "{filter}");
    }
}

#[tokio::test]
async fn what_is_no_filter_or_no_event_is_named() {
    let server = Server::start().await;
    test(&server, json!({"like": {"type": "x"}})).await.invalid("filter.like");
    test(&server, json!({"all": [{"exact": {}}]})).await.invalid("filter.all[0].exact");
    test(&server, json!(null)).await.invalid("filter");
    test(&server, json!({"exact": {"data": "x"}})).await.invalid("filter.exact.data");
    let twice = r#"{"filter":{"exact":{"type":"x","type":"y"}},"event":{}}"#;
    server.post_bytes("/filters/test", twice).await.invalid("filter.exact.type");
    let trial = json!({"filter": {"exact": {"type": "x"}}, "event": {"specversion": "1.0", "id": "1"}});
    server.post("/filters/test", trial).await.invalid("event.source");
    server.post("/filters/test", json!({"event": event("1")})).await.invalid("filter");
    server
        .post("/filters/test", json!({"filter": {"exact": {"type": "x"}}, "event": 1}))
        .await
        .invalid("event");
}

#[tokio::test]
async fn a_subscription_takes_what_its_filter_lets_through_in_every_mode() {
    let server = Server::with_queue("placed", json!({})).await;
    server.put("/topics/orders", json!({})).await;
    let filter = json!({"prefix": {"type": "order.", "source": "/shop"}});
    let made = server.put(PLACED, json!({"filter": filter})).await;
    assert_eq!((made.status, &made.json()["filter"]), (201, &filter));
    for (kind, id, queues) in [("order.placed", "1", 1), ("stock.moved", "2", 0)] {
        let headers = [("ce-type", kind), ("ce-id", id), ("ce-source", "/shop")];
        assert_eq!(server.publish("/topics/orders", &headers, "x").await.json()["queues"], queues);
    }
    let mut structured = event("3");
    structured["type"] = json!("order.placed");
    structured["source"] = json!("/shop/eu");
    let batch = json!([structured, event("4")]).to_string();
    let results = server.publish_json("/topics/orders", &batch).await.json();
    assert_eq!(results["results"][0]["queues"], 1);
    assert_eq!(results["results"][1]["queues"], 0);
    assert_eq!(ids(&server.receive("placed", json!({"max": 9})).await), ["1", "3"]);
}

#[tokio::test]
async fn a_filter_is_kept_until_it_is_changed_or_null() {
    let server = Server::with_queue("placed", json!({})).await;
    server.put("/topics/orders", json!({})).await;
    let filter = json!({"exact": {"type": "a"}});
    server.put(PLACED, json!({"filter": filter})).await;
    let kept = server.put(PLACED, json!({"on_full": "drop"})).await;
    assert_eq!((kept.status, &kept.json()["filter"]), (200, &filter));
    server.put(PLACED, json!({"filter": {"exact": {"type": ""}}})).await.invalid("filter.exact.type");
    let gone = server.put(PLACED, json!({"filter": null})).await;
    assert_eq!((gone.status, gone.json().get("filter")), (200, None));
    assert_eq!(server.publish("/topics/orders", &[], "x").await.json()["queues"], 1);
}
