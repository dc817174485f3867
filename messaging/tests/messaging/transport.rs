//! The HTTP transport: what each of a broker's answers means, asked of a broker that plays them.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use messaging::{
    Destination, Event, Transport,
    topology::{OnFull, QueueSpec, SubscriptionSpec},
    transport::{self, Mode, PublishError, Receive, Token, TransportError},
};
use serde_json::{Value, json};

use crate::broker::{Broker, event, orders_to_work};

/// From the events of a request, if it held any, to its answer.
type Answer = Arc<dyn Fn(&[Value]) -> Response + Send + Sync>;

/// Answers every request as told, and keeps what it was sent.
#[derive(Clone)]
struct Played {
    answer: Answer,
    sent: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
}

async fn play(answer: impl Fn(&[Value]) -> Response + Send + Sync + 'static) -> (Arc<dyn Transport>, Played) {
    play_for(None, answer).await
}

async fn play_for(
    token: Option<&Token>,
    answer: impl Fn(&[Value]) -> Response + Send + Sync + 'static,
) -> (Arc<dyn Transport>, Played) {
    let played = Played { answer: Arc::new(answer), sent: Arc::default() };
    let router =
        Router::new().fallback(async |State(played): State<Played>, headers: HeaderMap, body: Bytes| {
            let events: Vec<Value> = serde_json::from_slice(&body).unwrap_or_default();
            played.sent.lock().unwrap().push((headers, body));
            (played.answer)(&events)
        });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let service = router.with_state(played.clone());
    tokio::spawn(async move { axum::serve(listener, service).await });
    (transport::connect(&url, token).unwrap(), played)
}

fn problem(status: u16, slug: &str, extra: Value) -> Response {
    let mut body =
        json!({"type": format!("/problems/{slug}"), "title": slug, "status": status, "detail": "why"});
    body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    let status = StatusCode::from_u16(status).unwrap();
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}

async fn publish_one(status: u16, slug: &'static str) -> PublishError {
    let (transport, _) = play(move |_| problem(status, slug, json!({}))).await;
    transport.publish(&Destination::topic("orders"), &[event("k", 1)]).await.remove(0).unwrap_err()
}

#[tokio::test]
async fn what_is_wrong_with_the_event_itself_is_refused_for_good() {
    for (status, slug) in [(413, "body-too-large"), (422, "invalid-field"), (409, "id-reused")] {
        let error = publish_one(status, slug).await;
        assert!(matches!(&error, PublishError::Refused(text) if text.contains(slug)), "{status}: {error:?}");
    }
}

#[tokio::test]
async fn what_may_pass_is_told_apart_and_never_refuses_the_event() {
    let unavailable = async |status, slug| match publish_one(status, slug).await {
        PublishError::Unavailable(error) => error,
        other => panic!("{status}: {other:?}"),
    };
    assert!(matches!(unavailable(401, "unauthenticated").await, TransportError::Denied(_)));
    assert!(matches!(unavailable(403, "forbidden").await, TransportError::Denied(_)));
    assert!(matches!(unavailable(404, "topic-not-found").await, TransportError::Missing(_)));
    assert!(matches!(unavailable(409, "no-route").await, TransportError::Missing(_)));
    assert!(matches!(unavailable(429, "queue-full").await, TransportError::Throttled { .. }));
    assert!(matches!(unavailable(507, "storage-full").await, TransportError::Throttled { .. }));
    assert!(matches!(unavailable(409, "too-many-queues").await, TransportError::Throttled { .. }));
    assert!(matches!(unavailable(503, "not-ready").await, TransportError::Unreachable { .. }));
    assert!(matches!(unavailable(500, "internal").await, TransportError::Unreachable { .. }));
}

#[tokio::test]
async fn the_time_that_the_broker_asks_for_is_kept() {
    let (transport, _) = play(|_| {
        let mut answer = problem(429, "queue-full", json!({}));
        answer.headers_mut().insert(header::RETRY_AFTER, "7".parse().unwrap());
        answer
    })
    .await;
    let results = transport.publish(&Destination::topic("orders"), &[event("k", 1)]).await;
    let Err(PublishError::Unavailable(error)) = &results[0] else { panic!("{results:?}") };
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn each_request_shows_the_token_and_without_one_none() {
    let token: Token = "bkr_x".parse().unwrap();
    for (token, shown) in [(Some(&token), Some("Bearer bkr_x")), (None, None)] {
        let (transport, played) = play_for(token, |_| StatusCode::CREATED.into_response()).await;
        transport.publish(&Destination::topic("orders"), &[event("k", 1)]).await.remove(0).unwrap();
        transport.ready().await.unwrap();
        let sent = played.sent.lock().unwrap();
        let of = |(headers, _): &(HeaderMap, Bytes)| {
            headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned())
        };
        let expected = shown.map(str::to_owned);
        assert_eq!(sent.iter().map(of).collect::<Vec<_>>(), [expected.clone(), expected]);
    }
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_unreachable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let transport = transport::connect(&url, None).unwrap();
    assert!(matches!(transport.ready().await, Err(TransportError::Unreachable { .. })));
}

/// Refuses a batch that holds an event whose data is 13, and says where if told to.
fn unlucky(events: &[Value], says_where: bool) -> Response {
    match events.iter().position(|event| event["data"] == 13) {
        Some(index) if says_where => problem(422, "invalid-field", json!({"index": index})),
        Some(_) => problem(413, "body-too-large", json!({})),
        None => (StatusCode::CREATED, r#"{"results":[]}"#).into_response(),
    }
}

#[tokio::test]
async fn when_one_event_of_a_batch_is_refused_the_others_go_in_order_without_it() {
    for says_where in [true, false] {
        let (transport, played) = play(move |events| unlucky(events, says_where)).await;
        let events: Vec<Event> = [1, 2, 13, 4, 13, 6, 7].map(|n| event("k", n)).into();
        let results = transport.publish(&Destination::topic("orders"), &events).await;
        let refused: Vec<usize> = (0..7).filter(|at| results[*at].is_err()).collect();
        assert_eq!(refused, [2, 4]);
        assert!(refused.iter().all(|at| matches!(results[*at], Err(PublishError::Refused(_)))));
        let sent = played.sent.lock().unwrap();
        let batches = sent.iter().map(|(_, body)| serde_json::from_slice::<Vec<Value>>(body).unwrap());
        let stored = batches.filter(|batch| batch.iter().all(|event| event["data"] != 13)).flatten();
        assert_eq!(stored.map(|event| event["data"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 4, 6, 7]);
    }
}

#[tokio::test]
async fn once_an_event_could_not_be_sent_none_after_it_is() {
    let (transport, played) = play(|events| match events {
        [only] if only["data"] == 1 => (StatusCode::CREATED, "{}").into_response(),
        events if events[0]["data"] == 2 => problem(503, "not-ready", json!({})),
        events => unlucky(events, true),
    })
    .await;
    let events: Vec<Event> = [1, 13, 2, 13, 3].map(|n| event("k", n)).into();
    let results = transport.publish(&Destination::topic("orders"), &events).await;
    assert!(matches!(
        results[..],
        [
            Ok(()),
            Err(PublishError::Refused(_)),
            Err(PublishError::Unavailable(_)),
            Err(PublishError::Unavailable(_)),
            Err(PublishError::Unavailable(_))
        ]
    ));
    assert_eq!(played.sent.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn a_publish_asks_for_a_route_and_sends_the_events_own_bytes() {
    let (transport, played) = play(|_| (StatusCode::CREATED, "{}").into_response()).await;
    let bytes =
        r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{"price":1.10,"a":1,"a":2}}"#;
    let event = Event::from_json(Bytes::from_static(bytes.as_bytes())).unwrap();
    transport.publish(&Destination::topic("orders"), &[event.clone(), event]).await;
    let (headers, body) = played.sent.lock().unwrap()[0].clone();
    assert_eq!(headers["require-route"], "true");
    assert_eq!(headers[header::CONTENT_TYPE], "application/cloudevents-batch+json");
    assert_eq!(body, format!("[{bytes},{bytes}]"));
}

#[tokio::test]
async fn what_is_no_event_is_delivered_all_the_same() {
    let (transport, _) = play(|_| {
        let answer = r#"{"deliveries":[
            {"receipt":"r1","delivery_count":1,"lease_expires_at":"2026-11-24T04:15:00.000Z","message":{"no":"event"}},
            {"receipt":"r2","delivery_count":2,"lease_expires_at":"2026-11-24T04:15:00.000Z","published_at":"x",
             "message":{"specversion":"1.0","id":"1","source":"/s","type":"t","data":1.10}}]}"#;
        (StatusCode::OK, answer).into_response()
    })
    .await;
    let mode = Mode::Leased { lease: Duration::from_secs(5), receive_id: "id".to_owned() };
    let receive = Receive { max: 2, wait: Duration::ZERO, consumer: "c".to_owned(), mode };
    let [bad, good] = &transport.receive("work", &receive).await.unwrap()[..] else { panic!() };
    assert!(bad.event.is_err());
    assert_eq!(bad.lease.as_ref().unwrap().receipt.as_str(), "r1");
    assert_eq!((good.event.as_ref().unwrap().data(), good.delivery_count), (&b"1.10"[..], 2));
}

#[tokio::test]
async fn an_answer_that_is_not_of_the_contract_is_a_protocol_error() {
    let (transport, _) = play(|_| (StatusCode::OK, "hello").into_response()).await;
    let receive = Receive { max: 1, wait: Duration::ZERO, consumer: "c".to_owned(), mode: Mode::AtMostOnce };
    assert!(matches!(transport.receive("work", &receive).await, Err(TransportError::Protocol(_))));
}

#[tokio::test]
async fn declaring_twice_changes_nothing() {
    let broker = Broker::start().await;
    for _ in 0..2 {
        broker.transport().declare(&orders_to_work()).await.unwrap();
    }
    assert_eq!(broker.get("/queues/work").await["settings"]["ordering"], "key");
    assert_eq!(broker.get("/topics/orders").await["subscriptions"][0]["queue"], "work");
}

#[tokio::test]
async fn a_setting_that_conflicts_is_an_error_that_names_it() {
    let broker = Broker::start().await;
    let mut topology = orders_to_work();
    broker.transport().declare(&topology).await.unwrap();
    broker.publish("work", &[event("k", 1)]).await;
    topology.queues = vec![QueueSpec { name: "work".to_owned(), ordered_by_key: false }];
    topology.subscriptions[0].on_full = OnFull::Drop;
    let error = broker.transport().declare(&topology).await.unwrap_err();
    let TransportError::Conflict(text) = &error else { panic!("{error:?}") };
    assert!(text.contains("queue work") && text.contains("ordering"), "{text}");
    assert!(!error.may_pass());
}

#[test]
fn a_url_of_another_scheme_or_none_opens_nothing_and_says_what_would() {
    for url in ["amqp://localhost", "127.0.0.1:7070", "ftp://host", ""] {
        assert!(transport::connect(url, None).unwrap_err().to_string().contains("http://HOST:PORT"), "{url}");
    }
    assert!(transport::connect("http://", None).is_err());
}

#[tokio::test]
async fn a_queue_is_spared_the_types_that_it_has_no_use_for_and_no_other() {
    let broker = Broker::start().await;
    let mut topology = orders_to_work();
    let all = SubscriptionSpec { queue: "all".to_owned(), ..topology.subscriptions[0].clone() };
    topology.queues.push(QueueSpec { name: "all".to_owned(), ordered_by_key: true });
    topology.subscriptions[0].without_types = vec!["dull".to_owned(), "duller".to_owned()];
    topology.subscriptions.push(all);
    broker.transport().declare(&topology).await.unwrap();
    let events = ["dull", "told", "duller", "unheard-of"].map(|kind| Event::new("/test", kind, &1));
    for result in broker.transport().publish(&Destination::topic("orders"), &events).await {
        result.unwrap();
    }
    assert_eq!((broker.count("work", "published").await, broker.count("all", "published").await), (2, 4));
}

#[tokio::test]
async fn a_queue_that_is_no_longer_spared_a_type_gets_it() {
    let broker = Broker::start().await;
    let without = orders_to_work();
    let mut with = without.clone();
    with.subscriptions[0].without_types = vec!["dull".to_owned()];
    broker.transport().declare(&with).await.unwrap();
    broker.transport().declare(&without).await.unwrap();
    let events = [Event::new("/test", "dull", &1)];
    broker.transport().publish(&Destination::topic("orders"), &events).await.remove(0).unwrap();
    assert_eq!(broker.count("work", "published").await, 1);
}
