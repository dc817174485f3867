//! Access: tokens, what each role allows, and what callers without one see.

use std::{collections::BTreeSet, os::unix::fs::PermissionsExt as _, time::Duration};

use broker::{
    Config,
    auth::{grant::Grant, local, tokens::Tokens},
    store::folder::DataFolder,
};
use broker_core::identity::Name;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use serve::program::Ready;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::server::{Answer, Server};

/// A broker with an admin's token.
struct Guarded {
    server: Server,
    admin: String,
}

impl Guarded {
    async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        // Each endpoint is called here, and a stream would never end.
        let server = Server::start_on("127.0.0.1:0", folder, |config| config.engine.watchers = 0).await;
        let answer = server.post("/tokens", json!({"name": "admin", "allow": ["admin:*"]})).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let admin = answer.json()["token"].as_str().unwrap().to_owned();
        Self { server, admin }
    }

    /// The text of a new token that allows that.
    async fn token(&self, name: &str, allow: &[&str]) -> String {
        let answer = self.post(&self.admin, "/tokens", json!({"name": name, "allow": allow})).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["token"].as_str().unwrap().to_owned()
    }

    fn request(&self, token: &str, method: Method, path: &str) -> RequestBuilder {
        self.server.request(method, path).bearer_auth(token)
    }

    async fn call(&self, token: &str, method: Method, path: &str) -> Answer {
        Answer::of(self.request(token, method, path)).await
    }

    async fn get(&self, token: &str, path: &str) -> Answer {
        self.call(token, Method::GET, path).await
    }

    async fn put(&self, token: &str, path: &str) -> Answer {
        self.call(token, Method::PUT, path).await
    }

    async fn delete(&self, token: &str, path: &str) -> Answer {
        self.call(token, Method::DELETE, path).await
    }

    async fn post(&self, token: &str, path: &str, body: Value) -> Answer {
        Answer::of(self.request(token, Method::POST, path).json(&body)).await
    }
}

#[track_caller]
fn forbidden(answer: &Answer, role: &str, name: &str) {
    let problem = answer.problem(403, "forbidden");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains(&format!("{role} on {name} ")), "{detail}");
    assert_eq!((&problem["role"], &problem["name"]), (&json!(role), &json!(name)));
}

/// Method and path of every operation in the document, with names filled in.
async fn operations(guarded: &Guarded) -> Vec<(Method, String)> {
    let document = guarded.get(&guarded.admin, "/openapi.json").await.json();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let path = ["queue", "topic", "id", "name", "slug", "task"]
            .iter()
            .fold(path.clone(), |path, name| path.replace(&format!("{{{name}}}"), "some"));
        for method in item.as_object().unwrap().keys() {
            operations.push((method.to_uppercase().parse().unwrap(), path.clone()));
        }
    }
    operations
}

#[tokio::test]
async fn without_tokens_all_is_allowed() {
    let server = Server::with_queue("a", json!({})).await;
    assert_eq!(server.publish("/queues/a", &[], "x").await.status, 201);
    assert_eq!(server.get("/tokens").await.json(), json!({"items": []}));
    // A token that is none does not shut out who needs none.
    let answer = Answer::of(server.request(Method::GET, "/queues/a").bearer_auth("bkr_x")).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn with_tokens_every_call_but_health_needs_one() {
    let guarded = Guarded::start().await;
    let operations = operations(&guarded).await;
    assert!(operations.len() > 30);
    for (method, path) in operations {
        let answer = Answer::of(guarded.server.request(method.clone(), &path)).await;
        if ["/healthz", "/readyz"].contains(&path.as_str()) {
            assert_eq!(answer.status, 200, "{path}");
        } else {
            answer.problem(401, "unauthenticated");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn what_is_no_token_is_refused_wherever_it_goes() {
    let guarded = Guarded::start().await;
    let cut = &guarded.admin[..guarded.admin.len() - 1];
    for header in
        ["", "Bearer", "Bearer ", "Bearer bkr_x", "Basic YTpi", &guarded.admin, &format!("Bearer {cut}")]
    {
        for path in ["/queues/a", "/nowhere", "/queues/%ff", "/problems/unauthenticated"] {
            let request = guarded.server.request(Method::GET, path).header("authorization", header);
            let answer = Answer::of(request).await;
            answer.problem(401, "unauthenticated");
            assert!(!answer.text.contains(cut), "a token is not repeated");
        }
    }
    let twice = guarded.request(&guarded.admin, Method::GET, "/queues");
    let twice = twice.header("authorization", format!("Bearer {}", guarded.admin));
    Answer::of(twice).await.problem(401, "unauthenticated");
    Answer::of(guarded.server.request(Method::PATCH, "/queues/a")).await.problem(401, "unauthenticated");
    let lower = guarded.server.request(Method::GET, "/queues");
    let lower = lower.header("authorization", format!("bearer {}", guarded.admin));
    assert_eq!(Answer::of(lower).await.status, 200, "the scheme's case does not matter");
}

#[tokio::test]
async fn a_caller_that_is_not_known_is_answered_before_its_body_is_read() {
    let guarded = Guarded::start().await;
    let mut stream = TcpStream::connect(&guarded.server.address).await.unwrap();
    let head = "POST /queues/a/messages HTTP/1.1\r\nhost: broker\r\ncontent-length: 16000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut start = [0; 12];
    // The body never comes: only an answer to the head alone can be read here.
    timeout(Duration::from_secs(10), stream.read_exact(&mut start)).await.unwrap().unwrap();
    assert_eq!(&start, b"HTTP/1.1 401");
}

#[tokio::test]
async fn a_token_without_any_right_on_a_name_may_only_list() {
    let guarded = Guarded::start().await;
    let token = guarded.token("other", &["publish:elsewhere", "consume:elsewhere", "admin:elsewhere"]).await;
    let mut allowed = BTreeSet::new();
    for (method, path) in operations(&guarded).await {
        let answer = guarded.call(&token, method.clone(), &path).await;
        assert_ne!(answer.status, 401, "{method} {path}");
        if answer.status == 403 {
            answer.problem(403, "forbidden");
        } else {
            allowed.insert(format!("{method} {path}"));
        }
    }
    let expected = [
        // Whose it is says the redrive itself.
        "DELETE /redrives/some",
        "GET /",
        "GET /dead-letters",
        "GET /events",
        "GET /healthz",
        "GET /messages/some",
        "GET /metrics",
        "GET /openapi.json",
        "GET /problems/some",
        "GET /queues",
        "GET /readyz",
        "GET /redrives",
        "GET /redrives/some",
        "GET /topics",
        "POST /filters/test",
    ];
    assert_eq!(allowed, expected.map(str::to_owned).into());
}

#[tokio::test]
async fn an_unknown_path_is_not_found_and_an_unknown_method_not_allowed_to_who_is_known() {
    let guarded = Guarded::start().await;
    let token = guarded.token("shop", &["publish:orders"]).await;
    guarded.get(&token, "/nowhere").await.problem(404, "not-found");
    guarded.get(&token, "/queues/%ff").await.problem(404, "not-found");
    let patched = guarded.call(&guarded.admin, Method::PATCH, "/queues/a").await;
    patched.problem(405, "method-not-allowed");
}

#[tokio::test]
async fn a_publisher_publishes_to_its_names_and_does_nothing_else() {
    let guarded = Guarded::start().await;
    for path in ["/queues/orders", "/queues/orders.eu", "/queues/other", "/topics/orders"] {
        assert_eq!(guarded.put(&guarded.admin, path).await.status, 201);
    }
    let token = guarded.token("shop", &["publish:orders*"]).await;
    for path in ["/queues/orders", "/queues/orders.eu", "/topics/orders"] {
        assert_eq!(guarded.post(&token, &format!("{path}/messages"), json!({})).await.status, 201, "{path}");
    }
    forbidden(&guarded.post(&token, "/queues/other/messages", json!({})).await, "publish", "other");
    // Whether a queue exists is not told to who may not know.
    forbidden(&guarded.post(&token, "/queues/none-such/messages", json!({})).await, "publish", "none-such");
    forbidden(&guarded.post(&token, "/queues/orders/receive", json!({})).await, "consume", "orders");
    forbidden(&guarded.get(&token, "/queues/orders").await, "consume", "orders");
    forbidden(&guarded.put(&token, "/queues/orders").await, "admin", "orders");
    assert_eq!(guarded.get(&token, "/topics/orders").await.status, 200, "its own topic");
}

#[tokio::test]
async fn a_consumer_receives_settles_and_reads_and_does_nothing_else() {
    let guarded = Guarded::start().await;
    guarded.put(&guarded.admin, "/queues/jobs").await;
    guarded.post(&guarded.admin, "/queues/jobs/messages", json!({})).await;
    let token = guarded.token("worker", &["consume:jobs"]).await;
    let received = guarded.post(&token, "/queues/jobs/receive", json!({})).await.json();
    let receipts = json!({"receipts": [received["deliveries"][0]["receipt"]]});
    let extend = json!({"receipts": receipts["receipts"], "lease": "30s"});
    assert_eq!(guarded.post(&token, "/queues/jobs/extend", extend).await.status, 200);
    assert_eq!(guarded.post(&token, "/queues/jobs/nack", receipts.clone()).await.status, 200);
    assert_eq!(guarded.post(&token, "/queues/jobs/ack", receipts).await.status, 200);
    for path in ["/queues/jobs", "/queues/jobs/messages", "/queues/jobs/dead-letters"] {
        assert_eq!(guarded.get(&token, path).await.status, 200, "{path}");
    }
    forbidden(&guarded.post(&token, "/queues/jobs/messages", json!({})).await, "publish", "jobs");
    for path in ["/queues/jobs/purge", "/queues/jobs/dead-letters/redrive"] {
        forbidden(&guarded.post(&token, path, json!({})).await, "admin", "jobs");
    }
    for path in ["/queues/jobs", "/queues/jobs/messages/some", "/queues/jobs/dead-letters/some"] {
        forbidden(&guarded.delete(&token, path).await, "admin", "jobs");
    }
}

#[tokio::test]
async fn an_admin_of_names_does_all_with_them_but_makes_no_tokens() {
    let guarded = Guarded::start().await;
    let token = guarded.token("team", &["admin:team.*"]).await;
    assert_eq!(guarded.put(&token, "/queues/team.jobs").await.status, 201);
    assert_eq!(guarded.post(&token, "/queues/team.jobs/messages", json!({})).await.status, 201);
    assert_eq!(guarded.post(&token, "/queues/team.jobs/receive", json!({})).await.status, 200);
    forbidden(&guarded.put(&token, "/queues/others").await, "admin", "others");
    let more = json!({"name": "more", "allow": ["admin:team.*"]});
    forbidden(&guarded.post(&token, "/tokens", more).await, "admin", "*");
    forbidden(&guarded.get(&token, "/tokens").await, "admin", "*");
    forbidden(&guarded.delete(&token, "/tokens/admin").await, "admin", "*");
}

#[tokio::test]
async fn a_subscription_needs_admin_on_the_topic_and_on_the_queue() {
    let guarded = Guarded::start().await;
    guarded.put(&guarded.admin, "/topics/orders").await;
    guarded.put(&guarded.admin, "/queues/email").await;
    let path = "/topics/orders/subscriptions/email";
    let of_topic = guarded.token("topic", &["admin:orders"]).await;
    forbidden(&guarded.put(&of_topic, path).await, "admin", "email");
    let of_queue = guarded.token("queue", &["admin:email"]).await;
    forbidden(&guarded.put(&of_queue, path).await, "admin", "orders");
    let of_both = guarded.token("both", &["admin:email", "admin:orders"]).await;
    assert_eq!(guarded.put(&of_both, path).await.status, 201);
    assert_eq!(guarded.delete(&of_both, path).await.status, 204);
}

#[tokio::test]
async fn a_redrive_to_another_queue_needs_admin_on_that_too() {
    let guarded = Guarded::start().await;
    for path in ["/queues/a", "/queues/b"] {
        guarded.put(&guarded.admin, path).await;
    }
    let token = guarded.token("a", &["admin:a", "publish:b", "consume:b"]).await;
    let redrive = "/queues/a/dead-letters/redrive";
    for body in [json!({"to": "b"}), json!({"to": "b", "dry_run": true}), json!({"to": "none-such"})] {
        let name = body["to"].as_str().unwrap().to_owned();
        forbidden(&guarded.post(&token, redrive, body).await, "admin", &name);
    }
    assert_eq!(guarded.post(&token, redrive, json!({})).await.status, 200);
    assert_eq!(guarded.post(&guarded.admin, redrive, json!({"to": "b"})).await.status, 200);
}

#[tokio::test]
async fn a_paced_redrive_is_shown_and_stopped_by_those_who_may_start_it() {
    let guarded = Guarded::start().await;
    for path in ["/queues/a", "/queues/b"] {
        guarded.put(&guarded.admin, path).await;
    }
    let (of_a, of_both) =
        (guarded.token("a", &["admin:a"]).await, guarded.token("ab", &["admin:a", "admin:b"]).await);
    let other = guarded.token("other", &["admin:b"]).await;
    let start = json!({"per_second": 1, "to": "b"});
    let task = guarded.post(&of_both, "/queues/a/dead-letters/redrive", start).await.json()["task"].clone();
    let path = format!("/redrives/{}", task.as_str().unwrap());
    assert_eq!(guarded.get(&of_a, &path).await.json()["queue"], "a");
    forbidden(&guarded.get(&other, &path).await, "consume", "a");
    assert_eq!(guarded.get(&of_a, "/redrives").await.json()["items"].as_array().unwrap().len(), 1);
    assert_eq!(guarded.get(&other, "/redrives").await.json()["items"], json!([]));
    forbidden(&guarded.delete(&of_a, &path).await, "admin", "b");
    assert_eq!(guarded.delete(&of_both, &path).await.status, 204);
    let trail = guarded.get(&guarded.admin, "/audit").await.json();
    let stopped = &trail["items"][0];
    assert_eq!(
        (&stopped["queue"], &stopped["to"], &stopped["who"]),
        (&json!("a"), &json!("b"), &json!("ab"))
    );
}

#[tokio::test]
async fn a_list_shows_what_its_caller_may_see() {
    let guarded = Guarded::start().await;
    for path in ["/queues/a", "/queues/b", "/queues/c", "/topics/a", "/topics/b"] {
        guarded.put(&guarded.admin, path).await;
    }
    let token = guarded.token("some", &["consume:b", "admin:c", "publish:a"]).await;
    let listed = async |token: &str, path: &str, field: &str| {
        let items = guarded.get(token, path).await.json()["items"].clone();
        let names = items.as_array().unwrap().iter().map(|item| item[field].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(listed(&token, "/queues", "name").await, ["b", "c"]);
    assert_eq!(listed(&token, "/dead-letters", "queue").await, ["b", "c"]);
    assert_eq!(listed(&token, "/topics", "name").await, ["a", "b"]);
    assert_eq!(listed(&guarded.admin, "/queues", "name").await, ["a", "b", "c"]);
    let first = guarded.get(&token, "/queues?limit=1").await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(listed(&token, &format!("/queues?limit=1&cursor={cursor}"), "name").await, ["c"]);
}

#[tokio::test]
async fn a_name_is_checked_as_the_router_decodes_it() {
    let guarded = Guarded::start().await;
    guarded.put(&guarded.admin, "/queues/secret").await;
    let token = guarded.token("a", &["consume:open*", "admin:open*"]).await;
    forbidden(&guarded.get(&token, "/queues/%73ecret").await, "consume", "secret");
    // A slash in a name makes it none; it never leads to another path.
    guarded.get(&token, "/queues/open%2F..%2Fsecret/messages").await.invalid("queue");
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
async fn without_tokens_others_are_served_only_where_that_is_allowed() {
    let folder = TempDir::new().unwrap();
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let config = Config::new(folder.path());
    let refused = broker::run(listener, config, Ready::new(), CancellationToken::new()).await.unwrap_err();
    let said = refused.to_string();
    assert!(said.contains("broker tokens create admin") && said.contains("--allow-anonymous"), "{said}");
    assert!(local::read(folder.path()).unwrap().is_none());

    let server = Server::start_on("0.0.0.0:0", folder, |config| config.allow_anonymous = true).await;
    assert_eq!(server.get("/queues").await.status, 200);
}

#[tokio::test]
async fn the_document_says_what_each_call_needs() {
    let server = Server::start().await;
    let document = server.get("/openapi.json").await.json();
    let scheme = &document["components"]["securitySchemes"]["bearer"];
    assert_eq!((&scheme["type"], &scheme["scheme"]), (&json!("http"), &json!("bearer")));
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let guarded = !["/healthz", "/readyz"].contains(&path.as_str());
            let answers = &operation["responses"];
            assert_eq!(operation["security"][0]["bearer"].is_array(), guarded, "{method} {path}");
            assert_eq!(answers["401"].is_object() && answers["403"].is_object(), guarded, "{method} {path}");
        }
    }
    let publish = document["paths"]["/queues/{queue}/messages"]["post"]["description"].as_str().unwrap();
    assert!(publish.contains("Needs the role `publish` on the queue."), "{publish}");
}

/// Whether the metrics know of one receive that waits.
fn one_waits(metrics: &Answer) -> bool {
    metrics.text.lines().any(|line| line == "broker_waiting_receives 1")
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
