//! What holds for every call: JSON, problems, names, unknown things, limits, pages.

use reqwest::Method;
use serde_json::json;

use super::server::{Answer, Server};

#[tokio::test]
async fn an_unknown_path_is_not_found() {
    let server = Server::start().await;
    for path in ["/nope", "/queues/a/nope", "/queues/", "/queues/a/messages/", "/queues/%ff"] {
        server.get(path).await.problem(404, "not-found");
    }
}

#[tokio::test]
async fn a_method_that_a_path_lacks_is_refused_with_those_that_it_has() {
    let server = Server::start().await;
    let answer = Answer::of(server.request(Method::PATCH, "/queues/a")).await;
    answer.problem(405, "method-not-allowed");
    let mut allowed: Vec<&str> = answer.header("allow").unwrap().split(',').map(str::trim).collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["DELETE", "GET", "HEAD", "PUT"]);
    Answer::of(server.request(Method::OPTIONS, "/queues")).await.problem(405, "method-not-allowed");
}

#[tokio::test]
async fn a_body_is_read_as_json_whatever_its_content_type_and_an_empty_one_is_an_empty_object() {
    let server = Server::start().await;
    let form =
        server.request(Method::PUT, "/queues/a").header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(
        Answer::of(form.body(r#"{"max_deliveries":7}"#)).await.json()["settings"]["max_deliveries"],
        7
    );
    assert_eq!(Answer::of(server.request(Method::PUT, "/queues/b")).await.status, 201);
    assert_eq!(Answer::of(server.request(Method::PUT, "/queues/c").body(" \n")).await.status, 201);
    assert_eq!(server.post_bytes("/queues/c/receive", "").await.status, 200);
}

#[tokio::test]
async fn the_document_describes_what_problems_say_besides() {
    let server = Server::start().await;
    let document = server.get("/openapi.json").await.json();
    let problem = &document["components"]["schemas"]["Problem"];
    for (member, kind) in [
        ("index", "integer"),
        ("queue", "string"),
        ("limit", "integer"),
        ("setting", "string"),
        ("role", "string"),
        ("name", "string"),
    ] {
        let described = &problem["properties"][member];
        assert_eq!(described["type"], kind, "{member}");
        assert!(described["description"].is_string(), "{member}");
    }
    assert_eq!(problem["required"], json!(["type", "title", "status", "detail"]));
}

#[tokio::test]
async fn what_is_not_json_is_malformed() {
    let server = Server::with_queue("a", json!({})).await;
    for body in [&b"{"[..], b"{} {}", b"{\"max\":}", b"nope", b"{\"consumer\":\"\xff\"}"] {
        server.post_bytes("/queues/a/receive", body).await.problem(400, "malformed-json");
    }
}

#[tokio::test]
async fn a_query_that_is_no_text_is_refused() {
    let server = Server::with_queue("a", json!({})).await;
    for query in ["reason=%FF", "reason=%C3", "%FF=1"] {
        server.get(&format!("/queues/a/dead-letters?{query}")).await.invalid("query");
    }
    assert_eq!(server.get("/queues/a/dead-letters?reason=gr%C3%BC%C3%9Fe").await.status, 200);
}

#[tokio::test]
async fn a_wrong_field_is_named_by_its_path() {
    let server = Server::with_queue("a", json!({})).await;
    for (body, field) in [
        (json!({"lease": "12x"}), "lease"),
        (json!({"lease": 30}), "lease"),
        (json!({"lease": null}), "lease"),
        (json!({"max_deliveries": 0}), "max_deliveries"),
        (json!({"max_deliveries": "3"}), "max_deliveries"),
        (json!({"max_messages": 1.5}), "max_messages"),
        (json!({"max_messages": -1}), "max_messages"),
        (json!({"ordering": "lifo"}), "ordering"),
        (json!({"backoff": {"factor": 0.5}}), "backoff.factor"),
        (json!({"backoff": {"initial": "1y"}}), "backoff.initial"),
        (json!({"backoff": {"growth": 2}}), "backoff.growth"),
        (json!({"backoff": 5}), "backoff"),
        (json!({"backoff": ["1s"]}), "backoff"),
        (json!({"colour": "red"}), "colour"),
        (json!([]), "body"),
    ] {
        server.put("/queues/a", body).await.invalid(field);
    }
    Answer::of(server.request(Method::PUT, "/queues/a").body(r#"{"delay":"1s","delay":"2s"}"#))
        .await
        .invalid("delay");
}

#[tokio::test]
async fn an_unknown_or_repeated_query_parameter_is_refused_everywhere() {
    let server = Server::with_queue("a", json!({})).await;
    for path in ["/", "/queues", "/queues/a", "/topics", "/dead-letters", "/queues/a/messages", "/metrics"] {
        server.get(&format!("{path}?colour=red")).await.invalid("colour");
    }
    for path in ["/healthz", "/readyz", "/openapi.json", "/problems/queue-full"] {
        server.get(&format!("{path}?colour=red")).await.invalid("colour");
    }
    server.post("/queues/a/receive?wait=1s", json!({})).await.invalid("wait");
    server.publish("/queues/a", &[], "x").await;
    server.post_bytes("/queues/a/messages?delay=1s", "x").await.invalid("delay");
    server.get("/queues?limit=1&limit=2").await.invalid("limit");
    server.delete("/queues/a?force=yes").await.invalid("force");
}

#[tokio::test]
async fn what_a_get_or_delete_says_in_its_body_is_refused_and_nothing_is_done() {
    let server = Server::with_queue("jobs", json!({})).await;
    server.publish_ids("jobs", &["1"]).await;
    let said = |method: Method, path: &str, body: &'static str| {
        Answer::of(server.request(method, path).header("content-type", "application/json").body(body))
    };
    let message = "/queues/jobs/messages/1";
    let wrong = said(Method::DELETE, message, "{\"source\":\"/else\"}").await.problem(422, "invalid-field");
    assert_eq!(wrong["errors"][0]["field"], "source");
    said(Method::DELETE, "/queues/jobs?force=true", "[1,2").await.problem(400, "malformed-json");
    said(Method::GET, "/queues", "{\"limit\":1}").await.problem(422, "invalid-field");
    assert_eq!(server.counts("jobs").await["ready"], 1);
    assert_eq!(said(Method::GET, "/queues", " {} ").await.status, 200);
    assert_eq!(said(Method::DELETE, message, "{}").await.status, 204);
}

#[tokio::test]
async fn a_number_or_duration_out_of_its_range_is_refused_and_one_at_its_edge_is_not() {
    let server = Server::with_queue("a", json!({})).await;
    let receive = "/queues/a/receive";
    for (field, bad, good) in [
        ("max", vec![json!(0), json!(1001), json!(1.5)], vec![json!(1), json!(1.0), json!(1000)]),
        ("wait", vec![json!("61s"), json!("-1s")], vec![json!("0s"), json!("0m")]),
        ("lease", vec![json!("99ms"), json!("43201s")], vec![json!("100ms"), json!("12h")]),
        ("max_bytes", vec![json!(0), json!("0KiB"), json!("1KB")], vec![json!(1), json!("1KiB")]),
    ] {
        for value in bad {
            server.post(receive, json!({field: value})).await.invalid(field);
        }
        for value in good {
            assert_eq!(server.post(receive, json!({field: value})).await.status, 200, "{field} {value}");
        }
    }
    for limit in ["0", "1001", "x", "", "-1"] {
        server.get(&format!("/queues?limit={limit}")).await.invalid("limit");
    }
    assert_eq!(server.get("/queues?limit=1000").await.status, 200);
}

#[tokio::test]
async fn a_name_that_breaks_the_rule_is_a_wrong_field() {
    let server = Server::start().await;
    let long = "a".repeat(129);
    for name in [".a", "-a", "a%20b", "a%2Fb", "%C3%A4", &long] {
        server.put(&format!("/queues/{name}"), json!({})).await.invalid("queue");
        server.put(&format!("/topics/{name}"), json!({})).await.invalid("topic");
    }
    let longest = "A".repeat(128);
    for name in ["9", "a.b_c-d", &longest] {
        assert_eq!(server.put(&format!("/queues/{name}"), json!({})).await.status, 201, "{name}");
    }
}

#[tokio::test]
async fn a_list_is_read_in_pages_to_its_end() {
    let server = Server::start().await;
    for name in ["d", "a", "c", "b", "e"] {
        server.put_queue(name, json!({})).await;
    }
    let (mut names, mut path) = (Vec::new(), "/queues?limit=2".to_owned());
    loop {
        let page = server.get(&path).await.json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        names.extend(items.iter().map(|queue| queue["name"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/queues?limit=2&cursor={cursor}");
    }
    assert_eq!(names, ["a", "b", "c", "d", "e"]);
    server.get("/queues?cursor=nonsense").await.invalid("cursor");
    server.get("/queues/a/messages?cursor=bm9uZQ").await.invalid("cursor");
}

#[tokio::test]
async fn a_request_over_the_limit_is_too_large_and_the_client_hears_it() {
    let server = Server::with_queue("a", json!({})).await;
    for path in ["/queues/a/receive", "/queues/a/messages"] {
        server.post_bytes(path, vec![b' '; (16 << 20) + 1]).await.problem(413, "body-too-large");
    }
}

#[tokio::test]
async fn every_problem_is_explained_at_its_type() {
    let server = Server::start().await;
    for slug in ["queue-full", "invalid-field", "not-found"] {
        let page = server.get(&format!("/problems/{slug}")).await;
        assert_eq!(page.status, 200);
        assert_eq!(page.json()["type"], format!("/problems/{slug}"));
        assert!(page.json()["help"].as_str().unwrap().len() > 20);
    }
    for unknown in ["none-such", "%ff"] {
        server.get(&format!("/problems/{unknown}")).await.problem(404, "not-found");
    }
}

#[tokio::test]
async fn the_root_is_a_short_card() {
    let server = Server::start().await;
    let card = server.get("/").await.json();
    assert_eq!(card["name"], "broker");
    assert_eq!(server.get(card["openapi"].as_str().unwrap()).await.status, 200);
}

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

#[tokio::test]
async fn a_browser_is_given_the_console_at_the_root() {
    let server = Server::start().await;
    let page = Answer::of(server.request(Method::GET, "/").header("accept", BROWSER)).await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    assert!(!page.text.contains("{nonce}") && page.text.contains("</html>"));
    let unwanted = Answer::of(server.request(Method::GET, "/").header("accept", "text/html;q=0, */*")).await;
    assert_eq!(unwanted.json()["name"], "broker");
}

#[tokio::test]
async fn a_browser_without_a_token_is_given_the_console_that_asks_for_one() {
    let server = Server::start().await;
    server.post("/tokens", json!({"name": "ada", "allow": ["admin:*"]})).await;
    let page = Answer::of(server.request(Method::GET, "/").header("accept", BROWSER)).await;
    assert_eq!((page.status, page.header("www-authenticate")), (401, Some("Bearer")));
    assert!(page.text.contains("</html>"));
    let elsewhere = Answer::of(server.request(Method::GET, "/queues").header("accept", BROWSER)).await;
    elsewhere.problem(401, "unauthenticated");
    server.get("/").await.problem(401, "unauthenticated");
}
