//! `broker verify`, in words. What it finds is for the tests of the store.

use rusqlite::Connection;

use crate::backup::{run_in, with_data};

#[test]
fn one_thing_is_told_as_one() {
    let folder = with_data();
    let told = run_in(folder.path(), &["verify", "--data", "data"]).ok();
    assert_eq!(told, "1 queue, 0 topics and 1 message were checked\nnothing is wrong\n");

    let database = Connection::open(folder.path().join("data/broker.sqlite")).unwrap();
    database.execute("UPDATE messages SET checksum = NULL", []).unwrap();
    let told = run_in(folder.path(), &["verify", "--data", "data"]).ok();
    assert!(told.contains("\n1 of the messages is older than checksums: its bytes were not\n"), "{told}");

    database.execute("UPDATE queues SET settings = 'none'", []).unwrap();
    drop(database);
    let told = run_in(folder.path(), &["verify", "--data", "data"]);
    assert!(told.code == 1 && told.stdout.ends_with("\n1 fault\n"), "{told:?}");
    let refused = run_in(folder.path(), &["restore", "--from", "data", "--data", "new"]);
    assert!(refused.stderr.contains("the backup has 1 fault; with --allow-damaged"), "{refused:?}");
}

#[test]
fn a_file_of_tokens_that_no_broker_would_start_from_is_a_fault() {
    let folder = with_data();
    let tokens = folder.path().join("data/tokens.json");
    let whole = std::fs::read(&tokens).unwrap();
    std::fs::write(&tokens, &whole[..whole.len() / 2]).unwrap();
    let says = "tokens: tokens.json is not a file of tokens that this version reads: ";
    let told = run_in(folder.path(), &["verify", "--data", "data"]);
    assert!(told.code == 1 && told.stdout.starts_with(says), "{told:?}");
    assert!(told.stdout.ends_with("\n1 fault\n"), "{told:?}");
    let told = run_in(folder.path(), &["verify", "--data", "data", "--json"]);
    assert!(told.code == 1 && told.stdout.contains(r#""what":"tokens""#), "{told:?}");

    let restore = ["restore", "--from", "data", "--data", "new"];
    let refused = run_in(folder.path(), &restore);
    assert!(refused.code == 1 && refused.stdout.starts_with(says), "{refused:?}");
    assert!(refused.stderr.contains("the backup has 1 fault; with --allow-damaged"), "{refused:?}");
    assert!(!folder.path().join("new").exists());
    let restored = run_in(folder.path(), &[&restore[..], &["--allow-damaged"]].concat());
    assert_eq!((restored.code, folder.path().join("new/tokens.json").exists()), (0, true), "{restored:?}");
}
