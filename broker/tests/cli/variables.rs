//! The variables of the settings to serve with are for whoever serves: their names are such that other programs
//! have variables of the same.

use crate::broker::{Broker, Ended, ended, program, refuses_to_serve};

/// What other programs may have set, and how the argument is called that each is for.
const VARIABLES: [(&str, &str, &str); 10] = [
    ("LISTEN", "foo", "--listen"),
    ("MAX_QUEUES", "x", "--max-queues"),
    ("MAX_CONNECTIONS", "-1", "--max-connections"),
    ("MAX_MESSAGE_SIZE", "large", "--max-message-size"),
    ("IDLE_TIMEOUT", "60", "--idle-timeout"),
    ("MIN_FREE_SPACE", "10%", "--min-free-space"),
    ("LOG_FORMAT", "x", "--log-format"),
    ("ALLOW_ANONYMOUS", "maybe", "--allow-anonymous"),
    ("TLS_CERT", "/nope", "--tls-key"),
    ("TLS_KEY", "/nope", "--tls-cert"),
];

fn with_variable(arguments: &[&str], name: &str, value: &str) -> Ended {
    let mut command = program(arguments);
    command.env(name, value);
    ended(command)
}

#[test]
fn variables_of_settings_to_serve_with_are_nothing_to_other_commands() {
    let broker = Broker::with_queue("jobs");
    let folder = broker.folder().to_str().unwrap();
    for (name, value, _) in VARIABLES {
        for arguments in [
            &["queues", "--url", &broker.url][..],
            &["--url", &broker.url, "publish", "--queue", "jobs", "x"],
            &["verify", "--data", folder],
            &["completions", "bash"],
        ] {
            let told = with_variable(arguments, name, value);
            assert_eq!((told.code, told.stderr.as_str()), (0, ""), "{name}: {arguments:?}: {told:?}");
        }
        let told = with_variable(&["queues", "create"], name, value);
        told.failed(2, "<QUEUE>");
    }
}

#[test]
fn variables_of_settings_to_serve_with_hold_where_it_is_to_serve() {
    for (name, value, argument) in VARIABLES {
        for arguments in [&[][..], &["serve"], &["--data", "here"], &["serve", "--data", "here"]] {
            let mut command = program(arguments);
            command.env(name, value);
            refuses_to_serve(command).failed(2, argument);
        }
    }
}

#[test]
fn a_variable_goes_with_an_argument_where_it_is_to_serve() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["--tls-cert", "nope.pem"][..], &["serve", "--tls-cert", "nope.pem"]] {
        let mut command = program(arguments);
        command.env("TLS_KEY", "key.pem").env("LISTEN", "127.0.0.1:0").current_dir(folder.path());
        refuses_to_serve(command).failed(1, "nope.pem");
    }
}

#[test]
fn the_help_of_what_serves_names_each_variable_and_default() {
    for arguments in [&["--help"][..], &["-h"], &["serve", "--help"], &["serve", "-h"]] {
        for (name, value, argument) in [("NONE", "", "--listen")].iter().chain(&VARIABLES) {
            let help = with_variable(arguments, name, value).ok();
            let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
            for told in ["[env: LISTEN=", "[default: 127.0.0.1:7070]", "[env: DATA=]", argument] {
                assert!(help.contains(told), "{arguments:?}: {told}: {help}");
            }
            for (name, _, _) in VARIABLES {
                assert!(help.contains(&format!("[env: {name}=")), "{arguments:?}: {name}: {help}");
            }
        }
    }
}
