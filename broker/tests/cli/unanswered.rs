//! What is said where nobody answers, where the connection breaks off, and where no broker answers.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    thread,
};

use crate::broker::{Broker, ended, program};

#[test]
fn a_broker_that_is_not_there_is_told_with_its_url_and_how_to_start_one() {
    let told = ended(program(&["queues", "--url", "http://127.0.0.1:1"]));
    told.failed(1, "the broker at http://127.0.0.1:1/ can't be reached: Connection refused");
    told.failed(1, "`broker serve` starts one; --url or BROKER_URL says where it is");
}

#[test]
fn something_else_that_answers_is_no_broker() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answering = thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let _ = connection.read(&mut [0; 4096]).unwrap();
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello";
        connection.write_all(answer.as_bytes()).unwrap();
    });
    ended(program(&["queues", "--url", &url])).failed(1, "does not speak as a broker does");
    answering.join().unwrap();
}

/// Where somebody listens who takes a connection, reads the beginning of what is asked, and hangs up.
fn hanging_up() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        while let Ok((mut connection, _)) = listener.accept() {
            let _ = connection.read(&mut [0; 16]);
        }
    });
    url
}

#[test]
fn a_broker_that_hangs_up_is_one_that_runs() {
    let told = ended(program(&["queues", "--url", &hanging_up()]));
    told.failed(1, "was reached, and gave no full answer");
    assert!(!told.stderr.contains("Is it running?"), "{told:?}");
}

#[test]
fn who_hangs_up_while_connecting_over_tls_may_speak_none_or_take_no_more() {
    let told = ended(program(&["queues", "--url", &hanging_up().replace("http://", "https://")]));
    told.failed(1, "It hung up before TLS was agreed on: it takes no more connections");
    told.failed(1, "or it speaks no TLS");
}

#[test]
fn a_broker_that_hangs_up_on_a_large_body_probably_finds_it_too_large() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large");
    fs::write(&file, "x".repeat(4 << 20)).unwrap();
    let (url, data) = (hanging_up(), format!("@{}", file.display()));
    for more in [&[][..], &["--lines"]] {
        let publish = ["publish", "--queue", "jobs", &data, "--url", &url];
        let told = ended(program(&[&publish, more].concat()));
        told.failed(1, "probably it is too large for the broker");
        assert!(!told.stderr.contains("Is it running?"), "{told:?}");
    }
}

#[test]
fn https_is_for_a_broker_that_serves_it() {
    let broker = Broker::start();
    let told = ended(program(&["queues", "--url", &broker.url.replace("http://", "https://")]));
    told.failed(1, "where it serves plain HTTP, its URL begins with http://");
    assert!(!told.stderr.contains("Is it running?"), "{told:?}");
}
