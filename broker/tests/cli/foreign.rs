//! What is no broker's data is neither backed up nor restored, and what is refused leaves nothing behind; data of
//! an older version is still a broker's.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use rusqlite::Connection;
use tempfile::TempDir;

use crate::{
    backup::{entries, program_in, run_in, with_data},
    broker::refuses_to_serve,
};

/// What takes a broker's tables from each version to the one before it, from the fourth on.
const STEPS_BACK: [&str; 3] = [
    "ALTER TABLE failures DROP COLUMN failed_in;
     ALTER TABLE failures DROP COLUMN fatal;
     PRAGMA user_version = 3;",
    "ALTER TABLE redrives DROP COLUMN total;
     PRAGMA user_version = 2;",
    "ALTER TABLE messages DROP COLUMN checksum;
     ALTER TABLE subscriptions DROP COLUMN filter;
     ALTER TABLE subscriptions DROP COLUMN start;
     ALTER TABLE copies DROP COLUMN replayed;
     DROP TABLE redrives;
     DROP TABLE redrive_progress;
     DROP TABLE audit;
     PRAGMA user_version = 1;",
];

/// Databases that no broker wrote, by what is said of them.
const FOREIGN: [(&str, &str); 6] = [
    ("", "is an empty database"),
    ("CREATE TABLE short_lived (x); DROP TABLE short_lived;", "is an empty database"),
    ("CREATE TABLE invoices (x);", "is another program's database"),
    ("CREATE TABLE invoices (x); PRAGMA user_version = 4;", "is another program's database"),
    ("CREATE TABLE meta (key, value); PRAGMA user_version = 2;", "is another program's database"),
    ("CREATE TABLE meta (key, value); PRAGMA user_version = 99;", "is another program's database"),
];

/// A folder that has such a database in `foreign`.
fn with_foreign(sql: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("foreign")).unwrap();
    let path = folder.path().join("foreign/broker.sqlite");
    fs::write(&path, "").unwrap();
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
    folder
}

/// A broker that is to serve a data folder in that folder.
fn serve_in(folder: &Path, data: &str) -> Command {
    program_in(folder, &["--data", data, "--listen", "127.0.0.1:0", "--log", "off"])
}

/// All that is in a folder and below, with the bytes of files.
fn contents(folder: &Path) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let below = |path: PathBuf| match path.is_dir() {
        true => [vec![(path.clone(), None)], contents(&path)].concat(),
        false => vec![(path.clone(), Some(fs::read(path).unwrap()))],
    };
    entries(folder).into_iter().flat_map(below).collect()
}

#[test]
fn what_is_no_brokers_data_is_neither_backed_up_nor_restored_nor_checked() {
    for (sql, says) in FOREIGN {
        let folder = with_foreign(sql);
        let before = contents(folder.path());
        for arguments in [
            &["backup", "--data", "foreign", "--to", "new/copy"][..],
            &["restore", "--from", "foreign", "--data", "new/data"],
            &["restore", "--from", "foreign", "--data", "new/data", "--force", "--allow-damaged"],
            &["verify", "--data", "foreign"],
        ] {
            let told = run_in(folder.path(), arguments);
            assert_eq!((told.code, told.stdout.as_str()), (1, ""), "{sql}: {told:?}");
            told.failed(1, &format!("foreign/broker.sqlite {says}"));
            assert!(contents(folder.path()) == before, "{sql}: {arguments:?}: {:?}", entries(folder.path()));
        }
    }
}

#[test]
fn what_is_no_brokers_data_does_not_take_the_place_of_what_is() {
    for (sql, _) in FOREIGN {
        let (folder, foreign) = (with_data(), with_foreign(sql));
        fs::rename(foreign.path().join("foreign"), folder.path().join("foreign")).unwrap();
        run_in(folder.path(), &["restore", "--from", "data", "--data", "live"]).ok();
        let before = contents(folder.path());
        let told =
            run_in(folder.path(), &["restore", "--from", "foreign", "--data", "live", "--force", "--json"]);
        assert_eq!((told.code, told.stdout.as_str()), (1, ""), "{sql}: {told:?}");
        assert!(contents(folder.path()) == before, "{sql}: {:?}", entries(folder.path()));
    }
}

#[test]
fn a_backup_of_an_older_version_is_restored_and_backed_up() {
    let folder = with_data();
    let database = folder.path().join("data/broker.sqlite");
    for (step, version) in STEPS_BACK.iter().zip(["3", "2", "1"]) {
        Connection::open(&database).unwrap().execute_batch(step).unwrap();
        let copy = format!("copy-{version}");
        run_in(folder.path(), &["backup", "--data", "data", "--to", &copy]).ok();
        for from in ["data", &copy] {
            let new = format!("new-{from}-{version}");
            let told = run_in(folder.path(), &["restore", "--from", from, "--data", &new]).ok();
            assert!(told.starts_with("1 queue, 0 topics and 1 message were checked\n"), "{told}");
        }
    }
}

#[test]
fn a_restore_that_is_refused_leaves_nothing_where_nothing_was() {
    let folder = with_data();
    fs::create_dir(folder.path().join("garbage")).unwrap();
    fs::write(folder.path().join("garbage/broker.sqlite"), "no database, ".repeat(100)).unwrap();
    fs::create_dir(folder.path().join("there")).unwrap();
    let database = Connection::open(folder.path().join("data/broker.sqlite")).unwrap();
    database.execute("UPDATE messages SET size = size + 1", []).unwrap();
    drop(database);
    let before = contents(folder.path());
    for from in ["data", "garbage"] {
        for data in ["new", "new/inner/data", "./new/", "there", "there/new", "missing/../there/new"] {
            let told = run_in(folder.path(), &["restore", "--from", from, "--data", data]);
            assert_eq!(told.code, 1, "{told:?}");
            assert!(contents(folder.path()) == before, "{from} to {data}: {:?}", entries(folder.path()));
        }
    }
}

#[test]
fn a_restore_that_is_refused_takes_nothing_away_that_was_there() {
    let folder = with_foreign("");
    for data in ["locked", "filled"] {
        fs::create_dir(folder.path().join(data)).unwrap();
        fs::write(folder.path().join(data).join("lock"), "").unwrap();
    }
    fs::write(folder.path().join("filled/notes.txt"), "mine").unwrap();
    let before = contents(folder.path());
    for data in ["locked", "filled"] {
        run_in(folder.path(), &["restore", "--from", "foreign", "--data", data, "--force"])
            .failed(1, "is an empty database");
    }
    assert!(contents(folder.path()) == before, "{:?}", entries(folder.path()));
}

#[test]
fn what_went_wrong_is_said_once() {
    let folder = with_foreign("");
    fs::write(folder.path().join("foreign/broker.sqlite"), "no database, ".repeat(100)).unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let said = |arguments: &[&str]| {
        let told = run_in(folder.path(), arguments);
        assert_eq!(told.code, 1, "{told:?}");
        told.stderr
    };
    let failed = "the database failed: file is not a database\n";
    assert_eq!(said(&["backup", "--data", "foreign", "--to", "copy"]), format!("error: {failed}"));
    assert_eq!(said(&["restore", "--from", "foreign", "--data", "new"]), format!("error: {failed}"));
    let serving = refuses_to_serve(serve_in(folder.path(), "foreign")).stderr;
    assert_eq!(serving, format!("error: the data folder foreign: {failed}"));
    let serving = refuses_to_serve(serve_in(folder.path(), "file/data")).stderr;
    assert_eq!(serving.matches("Not a directory").count(), 1, "{serving}");
}

#[test]
fn no_broker_starts_on_the_database_of_another_program() {
    for (sql, says) in FOREIGN.iter().filter(|(_, says)| says.contains("another")) {
        let folder = with_foreign(sql);
        let database = folder.path().join("foreign/broker.sqlite");
        let before = fs::read(&database).unwrap();
        let told = refuses_to_serve(serve_in(folder.path(), "foreign"));
        told.failed(1, &format!("foreign/broker.sqlite {says}"));
        assert_eq!(fs::read(&database).unwrap(), before, "{sql}");
    }
}
