//! How tokens are made, listed, kept and revoked.

use std::os::unix::fs::PermissionsExt as _;

use broker::{
    auth::{grant::Grant, local, tokens::Tokens},
    store::folder::DataFolder,
};
use broker_core::identity::Name;
use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;

use super::Guarded;
use crate::server::{Answer, Server};

/// Whether the metrics know of one receive that waits.
fn one_waits(metrics: &Answer) -> bool {
    metrics.text.lines().any(|line| line == "broker_waiting_receives 1")
}

#[tokio::test]
async fn tokens_are_made_listed_without_their_texts_and_revoked() {
    let guarded = Guarded::start().await;
    let shop = json!({"name": "shop", "allow": ["publish:orders", "admin"]});
    let made = guarded.post(&guarded.admin, "/tokens", shop).await;
    assert_eq!(made.status, 201);
    let made = made.json();
    assert_eq!(made["name"], "shop");
    assert_eq!(made["allow"], json!(["publish:orders", "admin:*"]));
    let text = made["token"].as_str().unwrap();
    assert!(text.starts_with("bkr_") && text.len() == 47, "{text}");

    let listed = guarded.get(&guarded.admin, "/tokens").await;
    let names: Vec<_> =
        listed.json()["items"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, ["admin", "shop"]);
    assert_eq!(listed.json()["items"][1]["created_at"], made["created_at"]);
    assert!(!listed.text.contains("bkr_"), "{}", listed.text);
    let page = guarded.get(&guarded.admin, "/tokens?limit=1").await.json();
    let rest = format!("/tokens?cursor={}", page["next_cursor"].as_str().unwrap());
    assert_eq!(guarded.get(&guarded.admin, &rest).await.json()["items"][0]["name"], "shop");

    assert_eq!(guarded.get(text, "/queues").await.status, 200);
    assert_eq!(guarded.delete(&guarded.admin, "/tokens/shop").await.status, 204);
    guarded.get(text, "/queues").await.problem(401, "unauthenticated");
    guarded.delete(&guarded.admin, "/tokens/shop").await.problem(404, "token-not-found");
}

#[tokio::test]
async fn who_made_and_revoked_which_token_is_in_the_trail_without_its_text() {
    let mut guarded = Guarded::start().await;
    let shop = guarded.token("shop", &["publish:orders", "admin"]).await;
    let again = json!({"name": "shop", "allow": ["admin"]});
    guarded.post(&guarded.admin, "/tokens", again).await.problem(409, "token-exists");
    guarded.delete(&shop, "/tokens/shop").await;
    guarded.delete(&guarded.admin, "/tokens/shop").await.problem(404, "token-not-found");
    guarded.server.restart().await;
    let trail = guarded.get(&guarded.admin, "/audit").await;
    let items = trail.json()["items"].as_array().unwrap().clone();
    let told: Vec<_> = items.iter().map(|item| (&item["who"], &item["action"], &item["request"])).collect();
    let made = |name: &str, allow: &[&str]| json!({"name": name, "allow": allow});
    assert_eq!(
        told,
        [
            (&json!("shop"), &json!("revoke-token"), &json!({"name": "shop"})),
            (&json!("admin"), &json!("create-token"), &made("shop", &["publish:orders", "admin:*"])),
            (&json!("anonymous"), &json!("create-token"), &made("admin", &["admin:*"])),
        ]
    );
    assert!(items.iter().all(|item| item["count"] == 0 && item["at"].is_string()), "{items:?}");
    assert!(!trail.text.contains("bkr_"), "{}", trail.text);
}

#[tokio::test]
async fn a_token_that_leaves_nobody_to_administer_the_broker_comes_with_a_warning() {
    let server = Server::start().await;
    let made = server.post("/tokens", json!({"name": "shop", "allow": ["admin:orders"]})).await;
    assert_eq!(made.status, 201, "{made:?}");
    let warning = made.json()["warning"].as_str().unwrap().to_owned();
    assert!(warning.contains("admin:*") && warning.contains("broker tokens create"), "{warning}");

    let local = local::read(server.folder()).unwrap().unwrap().token;
    let make = async |name: &str, allow: &[&str]| {
        let request = server.request(Method::POST, "/tokens").bearer_auth(&local);
        Answer::of(request.json(&json!({"name": name, "allow": allow}))).await.json()
    };
    let revoke = async |name: &str| {
        let request = server.request(Method::DELETE, &format!("/tokens/{name}"));
        assert_eq!(Answer::of(request.bearer_auth(&local)).await.status, 204);
    };
    assert_eq!(make("mail", &["publish:orders"]).await["warning"], warning, "it is so still");
    assert!(make("ada", &["admin"]).await.get("warning").is_none());
    assert!(make("more", &["publish:orders"]).await.get("warning").is_none());
    revoke("ada").await;
    assert_eq!(make("again", &["publish:orders"]).await["warning"], warning);
}

#[tokio::test]
async fn a_wrong_token_to_make_is_named_by_its_field() {
    let guarded = Guarded::start().await;
    for (body, field) in [
        (json!({"name": "a"}), "allow"),
        (json!({"allow": ["admin"]}), "name"),
        (json!({"name": "a b", "allow": ["admin"]}), "name"),
        (json!({"name": "local", "allow": ["admin"]}), "name"),
        (json!({"name": "a", "allow": []}), "allow"),
        (json!({"name": "a", "allow": ["root:*"]}), "allow[0]"),
        (json!({"name": "a", "allow": ["admin", "publish"]}), "allow[1]"),
        (json!({"name": "a", "allow": ["publish:a b"]}), "allow[0]"),
        (json!({"name": "a", "allow": [7]}), "allow[0]"),
        (json!({"name": "a", "allow": ["admin"], "ttl": "1d"}), "ttl"),
    ] {
        guarded.post(&guarded.admin, "/tokens", body).await.invalid(field);
    }
    let again = json!({"name": "admin", "allow": ["admin"]});
    guarded.post(&guarded.admin, "/tokens", again).await.problem(409, "token-exists");
    guarded.delete(&guarded.admin, "/tokens/a%20b").await.invalid("name");
}

#[tokio::test]
async fn from_the_first_token_on_every_call_needs_one_and_after_the_last_none() {
    let server = Server::start().await;
    let shop = server.post("/tokens", json!({"name": "shop", "allow": ["publish:orders"]})).await;
    assert_eq!(shop.status, 201, "{shop:?}");
    server.get("/queues").await.problem(401, "unauthenticated");
    let local = local::read(server.folder()).unwrap().unwrap().token;
    let revoked = server.request(Method::DELETE, "/tokens/shop").bearer_auth(local);
    assert_eq!(Answer::of(revoked).await.status, 204);
    assert_eq!(server.get("/queues").await.status, 200, "on loopback it is open again");
}

#[tokio::test]
async fn tokens_are_kept_over_restarts_in_a_file_of_ones_own() {
    let mut guarded = Guarded::start().await;
    let shop = guarded.token("shop", &["publish:orders"]).await;
    guarded.server.stop().await;
    let file = guarded.server.folder().join("tokens.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let stored = std::fs::read_to_string(&file).unwrap();
    assert!(stored.contains("shop") && !stored.contains(&shop), "{stored}");

    let folder = TempDir::new().unwrap();
    std::fs::copy(&file, folder.path().join("tokens.json")).unwrap();
    let server = Server::start_on("127.0.0.1:0", folder, |_| ()).await;
    server.get("/queues").await.problem(401, "unauthenticated");
    assert_eq!(Answer::of(server.request(Method::GET, "/queues").bearer_auth(&shop)).await.status, 200);
}

#[tokio::test]
async fn who_reads_the_data_folder_of_a_running_broker_gets_in() {
    let mut guarded = Guarded::start().await;
    let access = local::read(guarded.server.folder()).unwrap().unwrap();
    assert_eq!(access.url, format!("http://{}", guarded.server.address));
    let made = guarded.post(&access.token, "/tokens", json!({"name": "rescue", "allow": ["admin"]})).await;
    assert_eq!(made.status, 201);
    assert!(!guarded.get(&access.token, "/tokens").await.text.contains("local"));
    guarded.delete(&access.token, "/tokens/local").await.problem(404, "token-not-found");
    guarded.server.stop().await;
    assert!(local::read(guarded.server.folder()).unwrap().is_none());
}

#[tokio::test]
async fn a_stopped_brokers_tokens_are_made_beside_it_and_a_running_ones_are_not() {
    let mut server = Server::start().await;
    let said = DataFolder::open(server.folder()).unwrap_err().to_string();
    assert!(said.contains("in use"), "{said}");
    server.stop().await;

    let folder = TempDir::new().unwrap();
    let secret = {
        let held = DataFolder::open(folder.path()).unwrap();
        let tokens = Tokens::open(&held).unwrap();
        let admin = tokens.create(Name::parse("admin").unwrap(), vec![Grant::parse("admin").unwrap()]);
        admin.unwrap().1
    };
    // Beyond loopback, thanks to that token alone.
    let server = Server::start_on("0.0.0.0:0", folder, |_| ()).await;
    server.get("/queues").await.problem(401, "unauthenticated");
    let revoked = server.request(Method::DELETE, "/tokens/admin").bearer_auth(secret.reveal());
    Answer::of(revoked).await.problem(409, "last-token");
}

#[tokio::test]
async fn a_receive_that_waits_ends_when_its_token_is_revoked() {
    let guarded = Guarded::start().await;
    let shop = json!({"name": "shop", "allow": ["consume:jobs"]});
    let made = guarded.post(&guarded.admin, "/tokens", shop).await.json();
    let shop = made["token"].as_str().unwrap();
    guarded.put(&guarded.admin, "/queues/jobs").await;
    let waiting = guarded.post(shop, "/queues/jobs/receive", json!({"wait": "60s"}));
    let revoked = async {
        let is_waiting = async |_: &Server| one_waits(&guarded.get(&guarded.admin, "/metrics").await);
        guarded.server.until("a receive that waits", is_waiting).await;
        guarded.delete(&guarded.admin, "/tokens/shop").await
    };
    let (waiting, revoked) = tokio::join!(waiting, revoked);
    assert_eq!(revoked.status, 204);
    waiting.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_receive_that_waits_without_a_token_ends_when_the_first_one_is_made() {
    let server = Server::with_queue("jobs", json!({})).await;
    let waiting = server.post("/queues/jobs/receive", json!({"wait": "60s"}));
    let made = async {
        let is_waiting = async |server: &Server| one_waits(&server.get("/metrics").await);
        server.until("a receive that waits", is_waiting).await;
        server.post("/tokens", json!({"name": "ada", "allow": ["admin:*"]})).await
    };
    let (waiting, made) = tokio::join!(waiting, made);
    assert_eq!(made.status, 201);
    let detail = waiting.problem(401, "unauthenticated")["detail"].clone();
    assert_eq!(detail, "the broker's first token was made while this receive waited");
}
