//! `broker publish`.

use std::{io::Write as _, process::Stdio};

use serde_json::{Value, json};

use crate::broker::Broker;

/// Publishes that, and gives the message as it is received.
fn published(arguments: &[&str], input: &[u8]) -> Value {
    let broker = Broker::with_queue("jobs");
    broker.run_with(&[&["publish", "--queue", "jobs"], arguments].concat(), input).ok();
    broker.json(&["receive", "jobs"])["deliveries"][0]["message"].clone()
}

#[test]
fn the_answer_names_the_id_and_how_many_queues_took_it() {
    let broker = Broker::with_queue("jobs");
    let publish = ["publish", "--queue", "jobs", "hello", "--id", "m1"];
    assert_eq!(broker.ok(&publish), "m1 published to 1 queue\n");
    assert_eq!(broker.ok(&publish), "m1 was published before: nothing was stored\n");
    assert_eq!(broker.json(&publish), json!({"id": "m1", "duplicate": true, "queues": 1}));
}

#[test]
fn data_is_the_argument_a_file_or_stdin() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data");
    std::fs::write(&file, "of a file").unwrap();
    assert_eq!(published(&["as it is"], b"")["data"], "as it is");
    assert_eq!(published(&[&format!("@{}", file.display())], b"")["data"], "of a file");
    assert_eq!(published(&["-"], b"of stdin")["data"], "of stdin");
    let broker = Broker::with_queue("jobs");
    broker.run(&["publish", "--queue", "jobs", "@/nope"]).failed(1, "can't read /nope: No such file");
}

#[test]
fn the_content_type_is_found_by_the_data_or_given() {
    for (data, more, content_type, kept) in [
        ("{\"n\": 1.10}", &[][..], "application/json", json!({"n": 1.10})),
        ("[1", &[], "text/plain; charset=utf-8", json!("[1")),
        ("42", &[], "text/plain; charset=utf-8", json!("42")),
        ("42", &["--content-type", "application/json"], "application/json", json!(42)),
    ] {
        let message = published(&[&[data], more].concat(), b"");
        assert_eq!((&message["datacontenttype"], &message["data"]), (&json!(content_type), &kept));
    }
    let bytes = published(&["-"], &[0xff, 0]);
    assert_eq!(
        (&bytes["datacontenttype"], &bytes["data_base64"]),
        (&json!("application/octet-stream"), &json!("/wA="))
    );
}

#[test]
fn attributes_arrive_as_they_were_given() {
    let arguments = ["x", "--id", "ä %\"", "--source", "/here", "--type", "order placed", "--subject", "s"];
    let message = published(&[&arguments[..], &["--key", "k", "--attribute", "region=eu=1"]].concat(), b"");
    for (name, value) in [
        ("id", "ä %\""),
        ("source", "/here"),
        ("type", "order placed"),
        ("subject", "s"),
        ("partitionkey", "k"),
        ("region", "eu=1"),
    ] {
        assert_eq!(message[name], value, "{name}");
    }
}

#[test]
fn an_attribute_that_is_given_twice_is_wrong_usage_that_names_both() {
    let broker = Broker::with_queue("jobs");
    for (twice, says) in [
        (&["--id", "one", "--attribute", "id=two"][..], "--id one and --attribute id=two"),
        (&["--attribute", "source=/b", "--source", "/a"], "--source /a and --attribute source=/b"),
        (&["--type", "a", "--attribute", "type=a"], "--type a and --attribute type=a"),
        (&["--subject", "a", "--attribute", "subject=b"], "--subject a and --attribute subject=b"),
        (&["--key", "a", "--attribute", "partitionkey=b"], "--key a and --attribute partitionkey=b"),
        (
            &["--content-type", "text/a", "--attribute", "datacontenttype=text/b"],
            "--content-type text/a and --attribute datacontenttype=text/b",
        ),
        (&["--attribute", "foo=1", "--attribute", "foo=2"], "--attribute foo=1 and --attribute foo=2"),
        (&["--lines", "--attribute", "foo=1", "--attribute", "foo=2"], "--attribute foo=1 and"),
        (&["--lines", "--attribute", "id=two"], "--lines and --attribute id=two"),
    ] {
        broker.run(&[&["publish", "--queue", "jobs", "x"], twice].concat()).failed(2, says);
    }
    assert_eq!(broker.count("jobs", "published"), 0);
}

#[test]
fn an_attribute_that_has_a_flag_can_be_given_as_any_other() {
    let message = published(&["x", "--attribute", "id=m1", "--attribute", "type=order.placed"], b"");
    assert_eq!((&message["id"], &message["type"]), (&json!("m1"), &json!("order.placed")));
}

#[test]
fn a_whole_event_can_be_published_as_it_is() {
    let event = json!({"specversion": "1.0", "id": "m1", "source": "/s", "type": "t", "data": {"n": 1}});
    let message = published(&[&event.to_string(), "--content-type", "application/cloudevents+json"], b"");
    assert_eq!((&message["id"], &message["data"]), (&json!("m1"), &json!({"n": 1})));
}

#[test]
fn each_line_is_a_message_in_order() {
    let broker = Broker::with_queue("jobs");
    let lines: String = (0..1100).map(|number| format!("{{\"n\": {number}}}\r\n\n")).collect();
    let told =
        broker.run_with(&["publish", "--queue", "jobs", "--lines", "-", "--key", "k"], lines.as_bytes());
    assert_eq!(told.ok(), "1,100 messages published\n");
    let list = broker.json(&["messages", "list", "jobs", "--limit", "2000"]);
    let items = list["items"].as_array().unwrap();
    let data: Vec<&Value> = items.iter().map(|item| &item["message"]["data"]["n"]).collect();
    assert_eq!(data, (0..1100).collect::<Vec<_>>());
    assert!(items.iter().all(|item| item["message"]["partitionkey"] == "k"));
    assert_eq!(items[0]["message"]["source"], "/queues/jobs");
}

#[test]
fn lines_are_published_as_they_come() {
    let broker = Broker::with_queue("jobs");
    let mut command = broker.command(&["publish", "--queue", "jobs", "--lines", "-"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    for line in ["first", "second"] {
        writeln!(input, "{line}").unwrap();
        let message = broker.json(&["receive", "jobs", "--wait", "20s", "--auto-ack"]);
        assert_eq!(message["deliveries"][0]["message"]["data"], line);
    }
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "2 messages published\n");
}

#[test]
fn each_line_keeps_its_own_kind_of_data() {
    let broker = Broker::with_queue("jobs");
    broker.run_with(&["publish", "--queue", "jobs", "--lines", "-"], b"{\"n\": 1.10}\nplain\n\xff\n").ok();
    let handout = broker.ok(&["receive", "jobs", "--max", "3", "--json"]);
    for part in ["\"data\":{\"n\": 1.10}", "\"data\":\"plain\"", "\"data_base64\":\"/w==\""] {
        assert!(handout.contains(part), "{part}: {handout}");
    }
}

#[test]
fn json_of_lines_has_the_answer_to_each_batch_on_a_line() {
    let broker = Broker::with_queue("jobs");
    let lines = "x\n".repeat(501);
    let told =
        broker.run_with(&["publish", "--queue", "jobs", "--lines", "-", "--json"], lines.as_bytes()).ok();
    let answers: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let counts: Vec<usize> = answers.iter().map(|it| it["results"].as_array().unwrap().len()).collect();
    assert_eq!(counts, [500, 1]);
}

#[test]
fn lines_that_are_refused_stop_it_with_how_many_went_before() {
    let broker = Broker::start();
    broker.ok(&["queues", "create", "small", "--max-messages", "700"]);
    let lines = "x\n".repeat(1200);
    let told = broker.run_with(&["publish", "--queue", "small", "--lines", "-"], lines.as_bytes());
    told.failed(1, "500 messages published, then it stopped: A queue is full (429 queue-full)");
    assert_eq!(broker.count("small", "ready"), 500);
}

#[test]
fn a_body_over_what_the_broker_takes_is_refused_in_its_words() {
    let broker = Broker::with_queue("jobs");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("line");
    std::fs::write(&file, "x".repeat(20_000_000)).unwrap();
    let data = format!("@{}", file.display());
    for more in [&[][..], &["--lines"]] {
        let told = broker.run(&[&["publish", "--queue", "jobs", &data], more].concat());
        told.failed(1, "(413 body-too-large)\n  the body is over the 16777216 bytes");
    }
}

#[test]
fn a_message_can_be_delayed_expire_and_need_a_route() {
    let broker = Broker::with_queue("jobs");
    broker.ok(&["publish", "--queue", "jobs", "later", "--delay", "1h", "--ttl", "2h"]);
    broker.run_with(&["publish", "--queue", "jobs", "--lines", "-", "--delay", "1h"], b"too\n").ok();
    assert_eq!(broker.count("jobs", "delayed"), 2);
    broker.ok(&["topics", "create", "orders"]);
    assert!(broker.ok(&["publish", "--topic", "orders", "x"]).ends_with("published to 0 queues\n"));
    broker.run(&["publish", "--topic", "orders", "x", "--require-route"]).failed(1, "(409 no-route)");
}
