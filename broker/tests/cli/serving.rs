//! What `serve` is told: settings that would serve nobody are refused before anything is made; a hang-up is no
//! reason to stop.

use std::{
    fs::{self, File},
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use tempfile::tempdir;

use crate::broker::{Broker, Ended, PATIENCE, program, refuses_to_serve};

fn refused(arguments: &[&str]) -> Ended {
    let folder = tempdir().unwrap();
    let data = folder.path().join("data");
    let mut command = program(&["serve", "--listen", "127.0.0.1:0"]);
    command.arg("--data").arg(&data).args(arguments);
    let ended = refuses_to_serve(command);
    assert!(!data.exists(), "{arguments:?} made the data folder");
    ended
}

#[test]
fn a_limit_of_nothing_is_refused_with_its_name() {
    for (argument, zero) in [
        ("--max-connections", "0"),
        ("--idle-timeout", "0s"),
        ("--request-timeout", "0ms"),
        ("--body-timeout", "0s"),
        ("--write-timeout", "0s"),
        ("--max-header-size", "0"),
        ("--max-message-size", "0KiB"),
        ("--max-request-size", "0"),
        ("--max-request-memory", "0"),
        ("--max-answer-memory", "0"),
    ] {
        refused(&[argument, zero]).failed(2, &format!("invalid value '{zero}' for '{argument} <"));
    }
}

#[test]
fn a_level_of_logs_that_is_none_is_refused() {
    for mistake in ["inof", "inof,broker=debug", "broker", ""] {
        refused(&["--log", mistake]).failed(2, "write a level such as info");
    }
}

#[test]
fn an_address_that_is_no_ip_address_and_port_is_refused_with_an_example() {
    for mistake in ["localhost:7070", ":7071", "7070", "127.0.0.1"] {
        let mut command = program(&["serve", "--listen", mistake]);
        command.arg("--data").arg("/nowhere/to/be/made");
        refuses_to_serve(command).failed(2, "such as 127.0.0.1:7070");
    }
}

#[test]
fn a_hang_up_is_told_and_does_not_end_it() {
    let folder = tempdir().unwrap();
    let log = folder.path().join("log");
    let broker = Broker::start_logging(tempdir().unwrap(), "info", File::create(&log).unwrap());
    broker.signal(Signal::HUP);
    let give_up = Instant::now() + PATIENCE;
    while !fs::read_to_string(&log).unwrap().contains("SIGHUP: nothing is reloaded by it") {
        assert!(Instant::now() < give_up, "it says nothing of it");
        thread::sleep(Duration::from_millis(20));
    }
    broker.ok(&["queues", "list"]);
}
