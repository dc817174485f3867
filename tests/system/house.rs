//! The house as ARCHITECTURE.md draws it: who may not know whom.

use std::{collections::BTreeMap, path::Path, process::Command};

use serde_json::Value;

const SERVICES: [&str; 5] =
    ["order-service", "inventory-service", "payment-service", "email-service", "analytics-service"];

/// Each of the workspace's crates with those that it is built from; for tests it may know more.
fn dependencies() -> BTreeMap<String, Vec<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let name = |of: &Value| of["name"].as_str().unwrap().to_owned();
    let built_from = |package: &Value| {
        let all = package["dependencies"].as_array().unwrap().iter();
        all.filter(|dependency| dependency["kind"].is_null()).map(name).collect()
    };
    packages.map(|package| (name(package), built_from(package))).collect()
}

fn assert_unknown(house: &BTreeMap<String, Vec<String>>, who: &str, strangers: &[&str]) {
    let known = &house[who];
    let met: Vec<_> =
        strangers.iter().filter(|stranger| known.iter().any(|known| known == *stranger)).collect();
    assert!(met.is_empty(), "{who} must not depend on {met:?}");
}

#[test]
fn the_core_knows_no_runtime_no_database_no_http_and_nothing_above_it() {
    let house = dependencies();
    let strangers =
        ["tokio", "rusqlite", "sqlx", "axum", "reqwest", "serve", "broker", "messaging", "events"];
    assert_unknown(&house, "broker-core", &strangers);
}

#[test]
fn the_broker_and_messaging_meet_at_the_http_contract_alone() {
    let house = dependencies();
    assert_unknown(&house, "broker", &["messaging", "events", "operations"]);
    assert_unknown(&house, "messaging", &["broker", "broker-core", "events", "serve", "axum"]);
}

#[test]
fn services_know_neither_each_other_nor_the_broker() {
    let house = dependencies();
    for service in SERVICES {
        let others: Vec<_> = SERVICES.into_iter().filter(|other| *other != service).collect();
        assert_unknown(&house, service, &others);
        assert_unknown(&house, service, &["broker", "broker-core", "pipeline", "rusqlite"]);
    }
}

#[test]
fn what_all_stand_on_knows_nobody_of_the_house() {
    let house = dependencies();
    let rooms: Vec<String> = house.keys().cloned().collect();
    let above: Vec<&str> = rooms.iter().map(String::as_str).filter(|room| *room != "units").collect();
    assert_unknown(&house, "units", &above);
    let above_serve: Vec<&str> = above.iter().copied().filter(|room| *room != "serve").collect();
    assert_unknown(&house, "serve", &above_serve);
}
