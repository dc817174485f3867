//! What all commands have in common: how answers and failures look, and what the exit code is.

use std::process::{Command, Stdio};

use crate::broker::{Broker, ended, program};

/// What the broker answers over plain HTTP.
fn fetched(url: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { reqwest::get(url).await.unwrap().text().await.unwrap() })
}

fn without_broker(arguments: &[&str]) -> Command {
    let mut command = program(arguments);
    command.env("BROKER_URL", "http://127.0.0.1:1");
    command
}

#[test]
fn json_is_the_brokers_own_to_the_letter() {
    let broker = Broker::with_queue("jobs");
    for (arguments, path) in [
        (&["queues", "--json"][..], "/queues?limit=1000"),
        (&["queues", "show", "jobs", "--json"], "/queues/jobs"),
        (&["dead-letters", "--json"], "/dead-letters"),
        (&["audit", "--json"], "/audit"),
        (&["topics", "list", "--json"], "/topics"),
    ] {
        let expected = fetched(&format!("{}{path}", broker.url));
        assert_eq!(broker.ok(arguments), format!("{expected}\n"), "{arguments:?}");
    }
}

#[test]
fn what_has_no_answer_writes_no_json() {
    let broker = Broker::with_queue("jobs");
    assert_eq!(broker.ok(&["queues", "delete", "jobs", "--yes", "--json"]), "");
}

#[test]
fn a_problem_is_told_on_stderr_with_its_slug_and_exit_code_1() {
    let broker = Broker::start();
    for arguments in [&["queues", "show", "nope"][..], &["queues", "show", "nope", "--json"]] {
        broker.run(arguments).failed(1, "error: There is no such queue (404 queue-not-found)\n  there is no");
    }
}

#[test]
fn a_field_at_fault_is_named() {
    let broker = Broker::with_queue("jobs");
    broker.run(&["receive", "jobs", "--max", "0"]).failed(2, "(422 invalid-field)\n  max: 0 is out of range");
}

#[test]
fn what_the_broker_finds_wrong_about_the_arguments_ends_with_2() {
    let broker = Broker::with_queue("jobs");
    broker.ok(&["topics", "create", "orders"]);
    for arguments in [
        &["receive", "jobs", "--max", "0"][..],
        &["queues", "create", "other", "--lease", "13h"],
        &["dead-letters", "redrive", "jobs", "--per-second", "0"],
        &["topics", "subscribe", "orders", "jobs", "--filter", "{\"exact\":{}}"],
        &["tail", "--kind", "nope"],
        &["tokens", "create", "a b", "--allow", "admin"],
        &["publish", "--queue", "jobs", "x", "--attribute", "time=noon"],
        &["publish", "--queue", "jobs", "x", "--lines", "--attribute", "time=noon"],
        &["ack", "jobs", "no-receipt"],
    ] {
        broker.run(arguments).failed(2, "(422 invalid-field)");
    }
    let event = ["publish", "--queue", "jobs", "{", "--content-type", "application/cloudevents+json"];
    broker.run(&event).failed(2, "(400 malformed-json)");
}

#[test]
fn what_a_stopped_brokers_folder_takes_for_no_name_ends_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let create = ["tokens", "create", "a b", "--allow", "admin", "--data", data];
    ended(program(&create)).failed(2, "error: ");
}

#[test]
fn wrong_usage_ends_with_2_before_anything_is_asked() {
    for arguments in [
        &["nope"][..],
        &["queues", "nope"],
        &["publish", "data"],
        &["publish", "--queue", "a", "--topic", "b", "data"],
        &["publish", "--queue", "a", "data", "--attribute", "Bad=1"],
        &["publish", "--queue", "a", "data", "--delay", "soon"],
        &["receive"],
        &["ack", "jobs"],
        &["queues", "create", "jobs", "--max-bytes", "12MB"],
        &["topics", "subscribe", "t", "q", "--filter", "{"],
        &["dead-letters", "list", "jobs", "--since", "yesterday"],
        &["dead-letters", "redrive", "jobs", "--follow"],
        &["dead-letters", "redrive", "jobs", "some-id", "--reason", "x"],
        &["tokens", "create", "shop", "--allow", "root:*"],
        &["queues", "--url", "localhost:7070"],
        &["queues", "--url", "127.0.0.1:7070"],
        &["queues", "--token", "not\na token"],
        &["publish", "--queue", "a", "data", "--content-type", "text\n"],
        &["--listen", "127.0.0.1:0", "queues"],
    ] {
        let told = ended(without_broker(arguments));
        told.failed(2, "error: ");
        assert!(!told.stderr.contains("can't be reached"), "{arguments:?}: {told:?}");
    }
}

#[test]
fn a_url_without_a_scheme_is_said_to_want_one() {
    for url in ["localhost:7070", "127.0.0.1:7070", "[::1]:7070", "broker", "//broker"] {
        ended(program(&["queues", "--url", url])).failed(2, "write it as http://127.0.0.1:7070");
    }
}

#[test]
fn where_nobody_can_be_asked_what_is_lost_for_good_needs_yes() {
    let broker = Broker::with_queue("jobs");
    broker.ok(&["publish", "--queue", "jobs", "data", "--id", "m1"]);
    broker.ok(&["topics", "create", "orders"]);
    for arguments in [
        &["queues", "delete", "jobs"][..],
        &["queues", "purge", "jobs"],
        &["topics", "delete", "orders"],
        &["dead-letters", "purge", "jobs"],
        &["dead-letters", "discard", "jobs", "m1"],
        &["messages", "remove", "jobs", "m1"],
        &["tokens", "revoke", "shop"],
    ] {
        broker
            .run(arguments)
            .failed(2, "There is nobody to ask here: --yes goes ahead. Nothing was changed.");
    }
    assert_eq!(broker.count("jobs", "ready"), 1);
}

#[test]
fn a_reader_that_has_seen_enough_ends_a_command_quietly() {
    let broker = Broker::with_queue("jobs");
    let lines: String = (0..2000).map(|number| format!("{number:0100}\n")).collect();
    broker.run_with(&["publish", "--queue", "jobs", "--lines", "-"], lines.as_bytes()).ok();
    for arguments in [&["messages", "list", "jobs", "--limit", "2000"][..], &["completions", "bash"]] {
        let mut child = broker.command(arguments).stdout(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}: {output:?}");
    }
}

#[test]
fn a_long_list_is_put_together_of_as_many_pages_as_it_takes() {
    let broker = Broker::with_queue("jobs");
    let lines: String = (0..1200).map(|number| format!("{number}\n")).collect();
    broker.run_with(&["publish", "--queue", "jobs", "--lines", "-"], lines.as_bytes()).ok();
    let list = broker.json(&["messages", "list", "jobs", "--limit", "1100"]);
    assert_eq!(list["items"].as_array().unwrap().len(), 1100);
    let cursor = list["next_cursor"].as_str().unwrap();
    let rest = broker.json(&["messages", "list", "jobs", "--limit", "1100", "--cursor", cursor]);
    let data: Vec<&str> = [&list, &rest]
        .into_iter()
        .flat_map(|list| list["items"].as_array().unwrap())
        .map(|item| item["message"]["data"].as_str().unwrap())
        .collect();
    assert_eq!(data, lines.lines().collect::<Vec<_>>());
    assert!(rest.get("next_cursor").is_none());
}

#[test]
fn that_there_is_more_is_said_beside_the_table() {
    let broker = Broker::with_queue("jobs");
    broker.run_with(&["publish", "--queue", "jobs", "--lines", "-"], b"a\nb\n").ok();
    let told = broker.run(&["messages", "list", "jobs", "--limit", "1"]);
    assert!(
        told.stderr.starts_with("there is more: --limit shows more at once, --cursor waiting~"),
        "{told:?}"
    );
    assert_eq!(told.stdout.lines().count(), 2, "{told:?}");
}

#[test]
fn an_empty_list_is_no_failure() {
    let broker = Broker::start();
    for (arguments, says) in [
        (&["queues"][..], "there are no queues\n"),
        (&["topics"], "there are no topics\n"),
        (&["redrives"], "there are no paced redrives\n"),
        (&["audit"], "nothing was done by hand so far\n"),
        (&["tokens"], "there are no tokens: everybody who reaches the broker may do everything\n"),
    ] {
        let told = broker.run(arguments);
        assert_eq!((told.code, told.stdout.as_str(), told.stderr.as_str()), (0, "", says));
    }
}

#[test]
fn every_command_explains_itself_and_its_arguments() {
    for command in [
        "serve",
        "queues",
        "topics",
        "publish",
        "receive",
        "ack",
        "nack",
        "extend",
        "messages",
        "tail",
        "dead-letters",
        "redrives",
        "audit",
        "tokens",
        "completions",
    ] {
        let help = ended(program(&[command, "--help"])).ok();
        assert!(help.contains("Usage: broker"), "{command}: {help}");
    }
    let help = ended(program(&["receive", "--help"])).ok();
    for part in ["Examples:", "[env: BROKER_URL=]", "[default: 0s]", "--auto-ack"] {
        assert!(help.contains(part), "{part}: {help}");
    }
}

#[test]
fn the_token_of_the_environment_is_not_shown_in_the_help() {
    let mut command = program(&["queues", "--help"]);
    command.env("BROKER_TOKEN", "bkr_secret");
    assert!(!ended(command).ok().contains("bkr_secret"));
}

#[test]
fn completions_know_the_commands() {
    for (shell, part) in [("bash", "_broker()"), ("zsh", "#compdef broker"), ("fish", "complete -c broker")] {
        let script = ended(program(&["completions", shell])).ok();
        assert!(script.contains(part) && script.contains("dead-letters"), "{shell}");
    }
}
