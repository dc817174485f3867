//! The rules of making and revoking tokens, on real folders.

use std::path::Path;

use super::*;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn grants(texts: &[&str]) -> Vec<Grant> {
    texts.iter().map(|text| Grant::parse(text).unwrap()).collect()
}

fn open(folder: &Path) -> (DataFolder, Tokens) {
    let folder = DataFolder::open(folder).unwrap();
    let tokens = Tokens::open(&folder).unwrap();
    (folder, tokens)
}

fn names(tokens: &Tokens) -> Vec<String> {
    tokens.list(None, 100).iter().map(|token| token.name.to_string()).collect()
}

#[test]
fn a_token_is_known_by_its_text_alone_and_over_restarts() {
    let path = tempfile::tempdir().unwrap();
    let (folder, tokens) = open(path.path());
    let (_, admin) = tokens.create(name("admin"), grants(&["admin"])).unwrap();
    let (_, shop) = tokens.create(name("shop"), grants(&["publish:orders", "consume:shop.*"])).unwrap();
    drop((folder, tokens));

    let (_folder, tokens) = open(path.path());
    assert_eq!(tokens.find(admin.reveal()).unwrap().name.as_str(), "admin");
    let found = tokens.find(shop.reveal()).unwrap();
    assert!(found.allows(Role::Publish, "orders") && found.allows(Role::Consume, "shop.a"));
    assert!(!found.allows(Role::Publish, "shop.a") && !found.is_admin_of_all());
    for wrong in ["", "bkr_", "shop", &shop.reveal()[..46], &format!("{}A", shop.reveal())] {
        assert!(tokens.find(wrong).is_none(), "{wrong}");
    }
    let stored = std::fs::read_to_string(path.path().join("tokens.json")).unwrap();
    assert!(!stored.contains(shop.reveal()) && !stored.contains(&shop.reveal()[4..]), "only its digest");
}

#[test]
fn a_revoked_token_is_known_no_more_whatever_the_others_may_do() {
    let path = tempfile::tempdir().unwrap();
    let (_folder, tokens) = open(path.path());
    let (_, shop) = tokens.create(name("shop"), grants(&["publish:orders"])).unwrap();
    let (_, admin) = tokens.create(name("admin"), grants(&["admin"])).unwrap();
    tokens.revoke(&name("admin")).unwrap();
    assert!(tokens.find(admin.reveal()).is_none() && tokens.find(shop.reveal()).is_some());
    assert!(matches!(tokens.revoke(&name("admin")).unwrap_err(), TokensError::NotFound(_)));
    tokens.revoke(&name("shop")).unwrap();
    assert!(tokens.is_empty());
}

#[test]
fn the_last_of_all_stays_where_others_reach_the_broker() {
    let path = tempfile::tempdir().unwrap();
    let (_folder, tokens) = open(path.path());
    tokens.set_reach(Reach::Others);
    tokens.create(name("a"), grants(&["admin"])).unwrap();
    tokens.create(name("b"), grants(&["admin"])).unwrap();
    tokens.revoke(&name("a")).unwrap();
    assert!(matches!(tokens.revoke(&name("b")).unwrap_err(), TokensError::LastOfAll(_)));
    assert_eq!(names(&tokens), ["b"]);
}

#[test]
fn names_that_stand_for_others_and_tokens_for_nothing_are_refused() {
    let path = tempfile::tempdir().unwrap();
    let (_folder, tokens) = open(path.path());
    for reserved in ["local", "anonymous"] {
        let refused = tokens.create(name(reserved), grants(&["admin"])).unwrap_err();
        assert!(matches!(refused, TokensError::Reserved(_)), "{reserved}");
    }
    assert!(matches!(tokens.create(name("a"), vec![]).unwrap_err(), TokensError::AllowsNothing));
    let many = vec![Grant::parse("admin").unwrap(); MOST_GRANTS + 1];
    assert!(matches!(tokens.create(name("a"), many).unwrap_err(), TokensError::TooManyGrants));
    tokens.create(name("a"), grants(&["admin"])).unwrap();
    assert!(matches!(tokens.create(name("a"), grants(&["admin"])).unwrap_err(), TokensError::Exists(_)));
}

#[test]
fn tokens_are_listed_by_name_after_a_name() {
    let path = tempfile::tempdir().unwrap();
    let (_folder, tokens) = open(path.path());
    for each in ["c", "a", "d", "b"] {
        tokens.create(name(each), grants(&["admin"])).unwrap();
    }
    let page: Vec<_> = tokens.list(Some(&name("a")), 2).iter().map(|token| token.name.to_string()).collect();
    assert_eq!(page, ["b", "c"]);
}

#[test]
fn what_can_not_be_written_does_not_hold() {
    let path = tempfile::tempdir().unwrap();
    let (_folder, tokens) = open(path.path());
    // A folder in the way of the file: it can't be replaced.
    std::fs::create_dir(path.path().join("tokens.json")).unwrap();
    let refused = tokens.create(name("a"), grants(&["admin"])).unwrap_err();
    assert!(matches!(refused, TokensError::File { .. }), "{refused}");
    assert!(tokens.is_empty());
}

#[test]
fn a_file_that_is_not_understood_stops_the_start_and_is_named() {
    for (text, says) in [
        ("", "EOF"),
        ("{}", "missing field `version`"),
        (r#"{"version":2,"tokens":[],"roles":[]}"#, "it has version 2"),
        (r#"{"version":1,"tokens":[],"roles":[]}"#, "unknown field"),
        (
            r#"{"version":1,"tokens":[{"name":"a","allow":["root"],"created_at":"2026-11-24T12:00:00.000Z","blake3":""}]}"#,
            "token a: \"root\" is not a role",
        ),
        (
            r#"{"version":1,"tokens":[{"name":"a","allow":["admin"],"created_at":"2026-11-24T12:00:00.000Z","blake3":"77"}]}"#,
            "its digest is none",
        ),
    ] {
        let path = tempfile::tempdir().unwrap();
        std::fs::write(path.path().join("tokens.json"), text).unwrap();
        let folder = DataFolder::open(path.path()).unwrap();
        let said = Tokens::open(&folder).unwrap_err().to_string();
        assert!(said.contains(says) && said.contains("tokens.json"), "{text}: {said}");
    }
}
