//! What an event keeps, and what is no event.

use bytes::Bytes;
use serde_json::json;

use super::{Event, InvalidEvent};

fn read(json: &str) -> Event {
    Event::from_json(Bytes::copy_from_slice(json.as_bytes())).unwrap()
}

fn refused(json: &str) -> InvalidEvent {
    Event::from_json(Bytes::copy_from_slice(json.as_bytes())).unwrap_err()
}

#[test]
fn data_survives_byte_for_byte_through_reading_changing_and_writing() {
    for data in
        ["1.10", "123456789012345678901234567890", r#"{"a":1,"a":2}"#, "[ 1 ,2 ]", r#""\u0041""#, "null"]
    {
        let json = format!(r#"{{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{data}}}"#);
        let event = read(&json);
        assert_eq!(event.data(), data.as_bytes());
        assert_eq!(event.to_json(), json.as_bytes());
        let changed = Event::from_json(event.with_partition_key("k").to_json()).unwrap();
        assert_eq!(changed.data(), data.as_bytes());
        assert_eq!(changed.partition_key(), Some("k"));
    }
}

#[test]
fn an_event_that_was_not_changed_is_given_on_in_the_bytes_it_came_in() {
    let json = r#" {"type":"t", "source":"/s","specversion":"1.0","id":"1","n":1,"ok":true,"time":"2026-11-24T04:15:00Z"} "#;
    assert_eq!(read(json).to_json(), json.as_bytes());
}

#[test]
fn extensions_keep_their_form_when_another_is_changed() {
    let event =
        read(r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","n":12,"ok":true,"gone":null}"#);
    assert_eq!(
        (event.extension("n"), event.extension("ok"), event.extension("gone")),
        (Some("12"), Some("true"), None)
    );
    let written = event.with_subject("x \"y\"").to_json();
    let expected =
        json!({"specversion":"1.0","id":"1","source":"/s","type":"t","n":12,"ok":true,"subject":"x \"y\""});
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&written).unwrap(), expected);
}

#[test]
fn text_and_bytes_are_given_as_the_bytes_that_were_published() {
    let text = read(
        r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","datacontenttype":"text/plain","data":"a\nb"}"#,
    );
    assert_eq!(text.data(), b"a\nb");
    let bytes = Event::binary("/s", "t", "image/png", Bytes::from_static(&[0, 159, 146, 150]));
    assert_eq!(Event::from_json(bytes.to_json()).unwrap().data(), [0, 159, 146, 150]);
    let text = text.with_subject("s");
    assert_eq!(Event::from_json(text.to_json()).unwrap().data(), b"a\nb");
}

#[test]
fn a_new_event_has_an_id_a_time_and_json_data() {
    let event = Event::new("/orders", "order.placed", &json!({"n": 1}));
    assert_eq!(uuid::Uuid::parse_str(event.id()).unwrap().get_version_num(), 7);
    assert!(event.time().is_some());
    assert_eq!(event.content_type(), Some("application/json"));
    assert_eq!(event.decode::<serde_json::Value>().unwrap(), json!({"n": 1}));
}

#[test]
fn what_an_event_caused_keeps_its_key_trace_and_conversation() {
    let first = Event::new("/a", "first", &1).with_partition_key("order-1").with_traceparent("00-ab-cd-01");
    let second = first.caused("/b", "second", &2);
    assert_eq!(second.partition_key(), Some("order-1"));
    assert_eq!(second.traceparent(), Some("00-ab-cd-01"));
    assert_eq!((second.correlation_id(), second.causation_id()), (Some(first.id()), Some(first.id())));
    let third = second.caused("/c", "third", &3);
    assert_eq!((third.correlation_id(), third.causation_id()), (Some(first.id()), Some(second.id())));
}

#[test]
fn what_is_no_event_is_refused_with_the_reason() {
    let base = r#""id":"1","source":"/s","type":"t""#;
    assert!(matches!(refused("nonsense"), InvalidEvent::Malformed(_)));
    assert!(matches!(refused("[]"), InvalidEvent::Malformed(_)));
    assert_eq!(refused(&format!("{{{base}}}")), InvalidEvent::Lacks("specversion"));
    assert_eq!(
        refused(r#"{"specversion":"1.0","id":"","source":"/s","type":"t"}"#),
        InvalidEvent::Lacks("id")
    );
    assert_eq!(
        refused(&format!(r#"{{"specversion":"0.3",{base}}}"#)),
        InvalidEvent::Version("0.3".to_owned())
    );
    assert!(matches!(
        refused(&format!(r#"{{"specversion":"1.0",{base},"id":"2"}}"#)),
        InvalidEvent::Malformed(_)
    ));
    assert!(matches!(
        refused(&format!(r#"{{"specversion":"1.0",{base},"data":1,"data":2}}"#)),
        InvalidEvent::Malformed(_)
    ));
    assert!(matches!(
        refused(&format!(r#"{{"specversion":"1.0",{base},"data_base64":"%"}}"#)),
        InvalidEvent::Malformed(_)
    ));
    assert!(matches!(
        refused(&format!(r#"{{"specversion":"1.0",{base},"ext":{{}}}}"#)),
        InvalidEvent::Malformed(_)
    ));
}

#[test]
fn data_of_another_shape_is_an_error_that_names_the_type() {
    let error = Event::new("/s", "order.placed", &"text").decode::<u32>().unwrap_err();
    assert!(error.to_string().contains("order.placed"));
}

proptest::proptest! {
    #[test]
    fn whatever_the_attributes_and_data_hold_is_read_back_the_same(
        id in ".{1,40}",
        subject in ".*",
        key in ".*",
        data in proptest::collection::vec(".*", 0..5),
    ) {
        let event = Event::new("/s", "t", &data).with_id(id.clone()).with_subject(subject.clone()).with_partition_key(key.clone());
        let read = Event::from_json(event.to_json()).unwrap();
        proptest::prop_assert_eq!(read.id(), id);
        proptest::prop_assert_eq!(read.subject(), Some(subject.as_str()));
        proptest::prop_assert_eq!(read.partition_key(), Some(key.as_str()));
        proptest::prop_assert_eq!(read.decode::<Vec<String>>().unwrap(), data);
    }

    #[test]
    fn bytes_that_are_no_event_are_refused_without_a_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        proptest::prop_assert!(Event::from_json(bytes.into()).is_err());
    }
}
