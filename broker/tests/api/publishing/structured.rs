//! Structured mode: one event in JSON.

use serde_json::{Value, json};

use crate::server::{Server, event};

#[tokio::test]
async fn an_event_comes_back_as_it_was_published() {
    let server = Server::with_queue("jobs", json!({})).await;
    let full = json!({
        "specversion": "1.0", "id": "1", "source": "/shop", "type": "order.placed", "subject": "s",
        "time": "2026-11-24T04:15:00Z", "datacontenttype": "application/json",
        "dataschema": "https://example.com/x", "partitionkey": "k", "flag": true, "number": -7, "text": "t",
        "data": {"a": [1, null]},
    });
    let without_data = json!({"specversion": "1.0", "id": "2", "source": "/shop", "type": "order.placed"});
    let text = json!({
        "specversion": "1.0", "id": "3", "source": "/s", "type": "t", "datacontenttype": "application/xml",
        "data": "<much wow=\"xml\"/>",
    });
    let binary = json!({"specversion": "1.0", "id": "4", "source": "/s", "type": "t", "data_base64": "AP8="});
    for event in [full, without_data, text, binary] {
        assert_eq!(server.publish_json("/queues/jobs", &event.to_string()).await.status, 201);
        assert_eq!(server.receive("jobs", json!({})).await[0]["message"], event);
    }
}

#[tokio::test]
async fn a_whole_number_is_one_however_it_is_written() {
    let server = Server::with_queue("jobs", json!({})).await;
    for (written, whole) in [("43074.0", 43074), ("4.2e1", 42), ("-2147483648.0", i32::MIN)] {
        let event =
            format!(r#"{{"specversion":"1.0","id":"{written}","source":"/s","type":"t","n":{written}}}"#);
        assert_eq!(server.publish_json("/queues/jobs", &event).await.status, 201, "{written}");
        assert_eq!(server.receive("jobs", json!({})).await[0]["message"]["n"], whole);
    }
    for written in ["1.5", "2147483648.0", "1e10", "[1]"] {
        let event = format!(r#"{{"specversion":"1.0","id":"1","source":"/s","type":"t","n":{written}}}"#);
        server.publish_json("/queues/jobs", &event).await.invalid("n");
    }
}

#[tokio::test]
async fn json_data_is_given_back_byte_for_byte() {
    let server = Server::with_queue("jobs", json!({})).await;
    let data =
        r#"{"n": 1.10, "n":1.1e0, "big":123456789012345678901234567890, "u":"\u00e4\/", "deep":[[ ]]}"#;
    let event = format!(r#"{{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{data}}}"#);
    assert_eq!(server.publish_json("/queues/jobs", &event).await.status, 201);
    let binary = [("content-type", "application/json")];
    assert_eq!(server.publish("/queues/jobs", &binary, data).await.status, 201);
    let answer = server.post("/queues/jobs/receive", json!({"max": 2})).await;
    assert_eq!(answer.text.matches(&format!("\"data\":{data}}}")).count(), 2, "{}", answer.text);
    let browsed = server.get("/queues/jobs/messages").await;
    assert_eq!(browsed.text.matches(&format!("\"data\":{data}}}")).count(), 2);
}

#[tokio::test]
async fn base64_of_a_json_or_text_type_is_given_back_as_what_it_is() {
    let server = Server::with_queue("jobs", json!({})).await;
    for (content_type, base64, data) in
        [("application/json", "eyJuIjoxfQ==", json!({"n": 1})), ("text/plain", "w6Q=", json!("ä"))]
    {
        let mut event = event(content_type);
        event["datacontenttype"] = content_type.into();
        event.as_object_mut().unwrap().remove("data");
        event["data_base64"] = base64.into();
        assert_eq!(server.publish_json("/queues/jobs", &event.to_string()).await.status, 201);
        assert_eq!(server.receive("jobs", json!({})).await[0]["message"]["data"], data);
    }
}

#[tokio::test]
async fn an_attribute_that_is_missing_or_wrong_is_named() {
    let server = Server::with_queue("jobs", json!({})).await;
    for name in ["specversion", "id", "source", "type"] {
        let mut event = event("1");
        event.as_object_mut().unwrap().remove(name);
        server.publish_json("/queues/jobs", &event.to_string()).await.invalid(name);
        event[name] = Value::Null;
        server.publish_json("/queues/jobs", &event.to_string()).await.invalid(name);
    }
    for (name, value) in [
        ("specversion", json!("0.3")),
        ("specversion", json!(1.0)),
        ("id", json!("")),
        ("id", json!(7)),
        ("id", json!("a\u{0}b")),
        ("source", json!("/shop\n")),
        ("type", json!("\u{7f}")),
        ("trace", json!("\u{85}")),
        ("source", json!("")),
        ("type", json!(["t"])),
        ("time", json!("24.11.2026")),
        ("subject", json!("")),
        ("Extension", json!("x")),
        ("my_extension", json!("x")),
        ("extension", json!(1.5)),
        ("extension", json!(4_294_967_296_u64)),
        ("extension", json!({"a": 1})),
        ("partitionkey", json!(7)),
        ("expiresat", json!("tomorrow")),
        ("data_base64", json!("AA==")),
    ] {
        let mut event = event("1");
        event[name] = value.clone();
        server.publish_json("/queues/jobs", &event.to_string()).await.invalid(name);
    }
    let doubled = r#"{"specversion":"1.0","id":"1","id":"2","source":"/s","type":"t"}"#;
    server.publish_json("/queues/jobs", doubled).await.invalid("id");
    let nameless = r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","":1}"#;
    server.publish_json("/queues/jobs", nameless).await.invalid("body");
    server.publish_json("/queues/jobs", "\"text\"").await.invalid("body");
}

#[tokio::test]
async fn data_that_many_readers_could_not_read_is_refused() {
    let server = Server::with_queue("jobs", json!({})).await;
    let nested = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let body = |levels| event("1").to_string().replace(r#"{"id":"1"}"#, &nested(levels));
    server.publish_json("/queues/jobs", &body(101)).await.invalid("data");
    assert_eq!(server.publish_json("/queues/jobs", &body(100)).await.status, 201);
    let received = server.receive("jobs", json!({})).await.remove(0);
    assert_eq!(received["message"]["data"].to_string(), nested(100));
}

#[tokio::test]
async fn what_is_not_json_is_malformed() {
    let server = Server::with_queue("jobs", json!({})).await;
    for body in
        ["", "{", r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{"n":01}}"#, "{} {}"]
    {
        server.publish_json("/queues/jobs", body).await.problem(400, "malformed-json");
    }
    let request = server.request(reqwest::Method::POST, "/queues/jobs/messages");
    let request =
        request.header("content-type", "application/cloudevents+json").body(&b"{\"id\":\"\xff\"}"[..]);
    crate::server::Answer::of(request).await.problem(400, "malformed-json");
}
