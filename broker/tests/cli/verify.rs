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
