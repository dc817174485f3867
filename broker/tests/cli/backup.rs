//! `broker backup` and `broker restore`: what they tell, and which folders they refuse. What is in a backup is
//! for the tests of the store.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::broker::{Broker, Ended, ended, program};

/// A folder that has the data of a broker, which is stopped, in `data`: one queue, one message, one token.
pub(crate) fn with_data() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::with_queue("jobs");
    broker.ok(&["publish", "--queue", "jobs", "x"]);
    broker.ok(&["tokens", "create", "root", "--allow", "admin"]);
    run_in(folder.path(), &["backup", "--data", broker.folder().to_str().unwrap(), "--to", "data"]).ok();
    folder
}

/// The program, with paths that are relative to a folder.
pub(crate) fn program_in(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = program(arguments);
    command.current_dir(folder);
    command
}

pub(crate) fn run_in(folder: &Path, arguments: &[&str]) -> Ended {
    ended(program_in(folder, arguments))
}

/// The one document that a command writes.
#[track_caller]
fn document(told: &Ended) -> Value {
    assert_eq!(told.stdout.matches('\n').count(), 1, "{told:?}");
    serde_json::from_str(&told.stdout).unwrap()
}

/// How many files of a broker are in a folder, and how many bytes they have.
fn measured(folder: &Path) -> (u64, u64) {
    let sizes = ["broker.sqlite", "tokens.json"].map(|name| fs::metadata(folder.join(name)).unwrap().len());
    (2, sizes.iter().sum())
}

pub(crate) fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

#[test]
fn a_backup_tells_in_json_what_was_copied_where() {
    let folder = with_data();
    let told = run_in(folder.path(), &["backup", "--data", "data", "--to", "copy", "--json"]);
    assert_eq!((told.code, told.stderr.as_str()), (0, ""), "{told:?}");
    let (files, bytes) = measured(&folder.path().join("copy"));
    assert_eq!(
        document(&told),
        json!({"ok": true, "from": "data", "to": "copy", "files": files, "bytes": bytes})
    );
}

#[test]
fn a_restore_tells_in_json_what_was_found_and_what_was_set_aside() {
    let folder = with_data();
    let restore = ["restore", "--from", "data", "--data", "new", "--json"];
    let told = run_in(folder.path(), &restore);
    assert_eq!((told.code, told.stderr.as_str()), (0, ""), "{told:?}");
    let (files, bytes) = measured(&folder.path().join("new"));
    let found = json!({"queues": 1, "topics": 0, "messages": 1, "without_checksum": 0, "faults": [],
        "more_faults": 0});
    let mut expected = json!({"ok": true, "from": "data", "to": "new", "files": files, "bytes": bytes,
        "set_aside": null});
    expected.as_object_mut().unwrap().extend(found.as_object().unwrap().clone());
    assert_eq!(document(&told), expected);

    let again = document(&run_in(folder.path(), &[&restore[..], &["--force"]].concat()));
    let aside = again["set_aside"].as_str().unwrap();
    assert!(aside.starts_with("new/before-restore-") && folder.path().join(aside).is_dir(), "{aside}");
}

#[test]
fn a_restore_of_a_damaged_backup_tells_its_faults_in_json_done_or_not() {
    let folder = with_data();
    let database = Connection::open(folder.path().join("data/broker.sqlite")).unwrap();
    database.execute("UPDATE messages SET size = size + 1", []).unwrap();
    drop(database);
    let restore = ["restore", "--from", "data", "--data", "new", "--json"];
    let refused = run_in(folder.path(), &restore);
    assert!(refused.code == 1 && refused.stderr.contains("--allow-damaged"), "{refused:?}");
    let done = run_in(folder.path(), &[&restore[..], &["--allow-damaged"]].concat());
    assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{done:?}");
    for (told, ok) in [(document(&refused), false), (document(&done), true)] {
        assert_eq!((&told["ok"], &told["faults"][0]["what"]), (&json!(ok), &json!("checksum")), "{told}");
    }
}

#[test]
fn what_fails_writes_no_json() {
    let folder = with_data();
    run_in(folder.path(), &["backup", "--data", "data", "--to", "data", "--json"])
        .failed(1, "exists already");
    let restore = ["restore", "--from", "data", "--data", "data", "--json"];
    run_in(folder.path(), &restore).failed(1, "data is not empty");
}

#[test]
fn the_help_of_what_asks_nobody_lists_nothing_that_it_refuses() {
    for (command, takes_json) in
        [("backup", true), ("restore", true), ("verify", true), ("serve", false), ("completions", false)]
    {
        for flag in ["--help", "-h"] {
            let help = ended(program(&[command, flag])).ok();
            for argument in ["--url", "--token", "--ca ", "For the commands that ask"] {
                assert!(!help.contains(argument), "{command}: {argument}: {help}");
            }
            assert_eq!(help.contains("--json"), takes_json, "{command}: {help}");
        }
    }
}

#[test]
fn whoever_means_a_broker_by_its_url_hears_that_a_folder_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["backup", "--to", "copy"][..], &["verify"]] {
        let mut command = program_in(folder.path(), arguments);
        command.env("BROKER_URL", "http://127.0.0.1:7070");
        let told = ended(command);
        told.failed(1, "error: there is no broker's data in ./data/broker\n");
        told.failed(1, "--data or DATA names it");
    }
    let named = run_in(folder.path(), &["backup", "--data", "here", "--to", "copy"]);
    named.failed(1, "error: there is no broker's data in here\n");
    assert!(!named.stderr.contains("--data"), "{named:?}");
}

#[test]
fn a_backup_inside_the_data_folder_is_refused_however_it_is_named() {
    let folder = with_data();
    let data = folder.path().join("data");
    symlink("data", folder.path().join("linked")).unwrap();
    fs::create_dir(folder.path().join("beside")).unwrap();
    fs::create_dir(data.join("inner")).unwrap();
    symlink("../data/inner", folder.path().join("beside/link")).unwrap();
    let before = entries(&data);
    let whole = data.join("in");
    for (data, to) in [
        ("data", "data/in"),
        ("data", "./data/in/"),
        ("data", "data/not/there/yet"),
        ("data", "data/not/../in"),
        ("data", "beside/../data/in"),
        ("data", "beside/new/../../data/in"),
        ("data", "linked/in"),
        ("data", "beside/link/in"),
        ("data", whole.to_str().unwrap()),
        ("linked", "data/in"),
        ("linked/inner/..", "data/in"),
        ("./data/", "data/inner"),
    ] {
        let told = run_in(folder.path(), &["backup", "--data", data, "--to", to]);
        told.failed(2, "is inside the data folder");
        told.failed(2, to);
    }
    let inside = program_in(&data, &["backup", "--data", ".", "--to", "in"]);
    ended(inside).failed(2, "is inside the data folder");
    assert_eq!(entries(&data), before);
    assert_eq!(entries(&folder.path().join("beside")).len(), 1);
}

#[test]
fn a_backup_beside_the_data_folder_is_taken_however_it_is_named() {
    let folder = with_data();
    symlink(folder.path(), folder.path().join("data/out")).unwrap();
    for to in ["data-2", "data/../copy", "data/out/linked", "new/folder/copy", "new/../last"] {
        run_in(folder.path(), &["backup", "--data", "data", "--to", to]).ok();
        assert!(folder.path().join(to).join("broker.sqlite").is_file(), "{to}");
    }
}

#[test]
fn what_a_restore_set_aside_inside_the_folder_can_be_put_back() {
    let folder = with_data();
    let run = |arguments: &[&str]| document(&run_in(folder.path(), arguments));
    run(&["restore", "--from", "data", "--data", "new", "--json"]);
    let again = run(&["restore", "--from", "data", "--data", "new", "--force", "--json"]);
    let aside = again["set_aside"].as_str().unwrap();
    let back = run(&["restore", "--from", aside, "--data", "new", "--force", "--json"]);
    assert_eq!((&back["ok"], &back["messages"]), (&json!(true), &json!(1)));
    assert!(folder.path().join(aside).join("broker.sqlite").is_file());
}

#[test]
fn a_restore_does_not_take_what_it_removes_first() {
    let folder = with_data();
    fs::create_dir(folder.path().join("new")).unwrap();
    fs::rename(folder.path().join("data"), folder.path().join("new/restoring")).unwrap();
    symlink("new", folder.path().join("linked")).unwrap();
    for from in ["new/restoring", "linked/restoring", "new/../new/restoring/."] {
        let told = run_in(folder.path(), &["restore", "--from", from, "--data", "new", "--force"]);
        told.failed(2, "is where a restore makes its copy");
        assert!(folder.path().join("new/restoring/broker.sqlite").is_file(), "{from}");
    }
}
