//! `broker tokens`, and how a command gets in.

use serde_json::{Value, json};

use crate::broker::{Broker, Ended, ended, program, rows};

/// A broker that wants tokens, and the one that may do everything.
fn guarded() -> (Broker, String) {
    let broker = Broker::start();
    let made = broker.run(&["tokens", "create", "admin", "--allow", "admin"]);
    assert!(made.stderr.contains("This is shown this once"), "{made:?}");
    let token = made.ok().trim_end().to_owned();
    assert!(token.starts_with("bkr_"), "{token}");
    (broker, token)
}

fn with_token(broker: &Broker, token: &str, arguments: &[&str]) -> Ended {
    let mut command = broker.command(arguments);
    command.env("BROKER_TOKEN", token);
    ended(command)
}

#[test]
fn a_token_is_printed_once_and_lets_in() {
    let (broker, token) = guarded();
    with_token(&broker, &token, &["queues", "create", "jobs"]).ok();
    assert!(broker.run(&["queues", "--token", &token]).ok().contains("jobs"));
    let list = with_token(&broker, &token, &["tokens"]).ok();
    assert_eq!((rows(&list)[1][0], rows(&list)[1][2]), ("admin", "admin:*"));
    assert!(!list.contains(&token));
}

#[test]
fn who_made_a_token_and_what_it_allows_is_in_the_audit_trail() {
    let (broker, token) = guarded();
    let trail = with_token(&broker, &token, &["audit"]).ok();
    let told = ["anonymous", "create-token", "0", "-", r#"{"allow":["admin:*"],"name":"admin"}"#];
    assert_eq!(rows(&trail)[1][1..], told);
}

#[test]
fn a_token_that_leaves_nobody_to_administer_the_broker_is_warned_of() {
    const WARNING: &str = "no token may administer this broker over HTTP";
    let broker = Broker::start();
    let shop = broker.run(&["tokens", "create", "shop", "--allow", "publish:*"]);
    assert!(shop.stderr.contains(WARNING) && shop.ok().starts_with("bkr_"));

    let folder = tempfile::tempdir().unwrap();
    let create = |arguments: &[&str]| {
        let mut command = program(&[&["tokens", "create"], arguments].concat());
        command.arg("--data").arg(folder.path());
        ended(command)
    };
    assert!(create(&["shop", "--allow", "publish:*"]).stderr.contains(WARNING));
    let mail = create(&["mail", "--allow", "publish:*", "--json"]).ok();
    let mail: Value = serde_json::from_str(&mail).unwrap();
    assert!(mail["warning"].as_str().unwrap().contains(WARNING), "{mail}");
    let ada = create(&["ada", "--allow", "admin"]);
    assert!(ada.code == 0 && !ada.stderr.contains(WARNING), "{ada:?}");
}

#[test]
fn the_log_warns_where_nobody_may_administer_the_broker_any_more() {
    let log = tempfile::NamedTempFile::new().unwrap();
    let broker = Broker::start_logging(tempfile::tempdir().unwrap(), "warn", log.reopen().unwrap());
    let tokens = |arguments: &[&str]| {
        let mut command = broker.command(&[&["tokens"], arguments].concat());
        command.arg("--data").arg(broker.folder());
        ended(command).ok()
    };
    let warned = || {
        let log = std::fs::read_to_string(log.path()).unwrap();
        log.matches("no token may administer this broker over HTTP").count()
    };
    tokens(&["create", "shop", "--allow", "publish:*"]);
    assert_eq!(warned(), 1);
    tokens(&["create", "ada", "--allow", "admin"]);
    tokens(&["create", "bob", "--allow", "admin"]);
    tokens(&["revoke", "ada", "--yes"]);
    assert_eq!(warned(), 1, "bob is left");
    tokens(&["revoke", "bob", "--yes"]);
    assert_eq!(warned(), 2);
    tokens(&["revoke", "shop", "--yes"]);
    assert_eq!(warned(), 2, "without tokens all is allowed");
}

#[test]
fn a_variable_may_be_empty_or_end_with_a_line_end() {
    let (broker, token) = guarded();
    with_token(&broker, &format!("{token}\n"), &["queues"]).ok();
    with_token(&broker, "", &["queues"]).failed(1, "Give a token");
}

#[test]
fn without_a_token_it_is_said_how_to_give_one() {
    let (broker, _) = guarded();
    let told = broker.run(&["queues"]);
    told.failed(1, "(401 unauthenticated)");
    told.failed(
        1,
        "Give a token with --token or BROKER_TOKEN. The folder ./data/broker, which --data names,",
    );
}

#[test]
fn a_token_that_may_not_is_told_so() {
    let (broker, admin) = guarded();
    let made =
        with_token(&broker, &admin, &["tokens", "create", "shop", "--allow", "publish:orders", "--json"]);
    let made: Value = serde_json::from_str(&made.ok()).unwrap();
    with_token(&broker, made["token"].as_str().unwrap(), &["queues", "create", "jobs"])
        .failed(1, "(403 forbidden)");
}

#[test]
fn a_revoked_token_lets_in_no_more() {
    let (broker, admin) = guarded();
    let shop = with_token(&broker, &admin, &["tokens", "create", "shop", "--allow", "publish:*"]);
    let shop = shop.stdout.trim_end().to_owned();
    with_token(&broker, &shop, &["queues"]).ok();
    assert_eq!(
        with_token(&broker, &admin, &["tokens", "revoke", "shop", "--yes"]).ok(),
        "token shop revoked\n"
    );
    with_token(&broker, &shop, &["queues"]).failed(1, "(401 unauthenticated)");
}

#[test]
fn on_the_brokers_own_machine_its_data_folder_lets_in() {
    let (broker, _) = guarded();
    let mut command = broker.command(&["queues", "create", "jobs", "--data"]);
    command.arg(broker.folder());
    ended(command).ok();
    let mut command = broker.command(&["tokens"]);
    command.env("DATA", broker.folder());
    assert!(ended(command).ok().contains("admin:*"));
}

#[test]
fn a_data_folder_that_is_named_also_says_where_its_broker_is() {
    let broker = Broker::with_queue("jobs");
    let mut command = program(&["queues", "--data"]);
    command.arg(broker.folder());
    assert!(ended(command).ok().contains("jobs"));
}

#[test]
fn the_token_of_a_data_folder_goes_to_its_own_broker_alone() {
    let (broker, _) = guarded();
    let (other, _) = guarded();
    let mut command = other.command(&["queues", "--data"]);
    command.arg(broker.folder());
    ended(command).failed(1, &format!("is that of the broker at {}.", broker.url));
}

#[test]
fn tokens_are_made_listed_and_revoked_in_the_folder_of_a_stopped_broker() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = |arguments: &[&str]| {
        let mut command = program(&[&["tokens"], arguments].concat());
        command.arg("--data").arg(folder.path());
        ended(command)
    };
    let made = tokens(&["create", "admin", "--allow", "admin"]).ok();
    assert_eq!(tokens(&["create", "admin", "--allow", "admin"]).code, 1, "the name is taken");
    let shop = tokens(&["create", "shop", "--allow", "publish:*", "--json"]).ok();
    let shop: Value = serde_json::from_str(&shop).unwrap();
    assert_eq!((&shop["allow"], shop["token"].is_string()), (&json!(["publish:*"]), true));
    assert_eq!(tokens(&["revoke", "shop", "--yes"]).ok(), "token shop revoked\n");
    let listed: Value = serde_json::from_str(&tokens(&["list", "--json"]).ok()).unwrap();
    assert_eq!(
        (listed["items"].as_array().unwrap().len(), &listed["items"][0]["name"]),
        (1, &json!("admin"))
    );
    assert_eq!(rows(&tokens(&[]).ok())[1][0], "admin");

    let broker = Broker::start_in(folder);
    with_token(&broker, made.trim_end(), &["queues"]).ok();
}

#[test]
fn where_a_broker_runs_on_the_folder_it_is_asked_for_a_token() {
    let broker = Broker::start();
    let tokens = |arguments: &[&str]| {
        let mut command = program(&[&["tokens"], arguments].concat());
        command.arg("--data").arg(broker.folder());
        ended(command)
    };
    let made = tokens(&["create", "admin", "--allow", "admin"]).ok();
    assert!(broker.run(&["queues"]).stderr.contains("401"), "it holds at once");
    with_token(&broker, made.trim_end(), &["queues"]).ok();
}

#[test]
fn a_look_at_the_tokens_makes_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(&["tokens", "--data"]);
    command.arg(folder.path().join("mistyped"));
    let told = ended(command);
    assert!(told.code == 1 && told.stderr.contains("there is no folder"), "{told:?}");
    assert!(!folder.path().join("mistyped").exists());
}

#[test]
fn a_folder_on_which_no_broker_runs_is_told_and_no_other_broker_asked() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(&["queues", "--data"]);
    command.arg(folder.path());
    let told = ended(command);
    assert_eq!(told.code, 1, "{told:?}");
    assert!(told.stderr.contains("no broker runs on"), "{told:?}");
}
