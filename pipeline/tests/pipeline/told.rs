//! A pipeline as it tells itself over HTTP: one server that answers for all parts, from JSON that a
//! test can bend.

use axum::{
    Json, Router,
    extract::{RawQuery, State},
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use pipeline::{
    check::{Answered, CheckError, Report, check},
    client::Client,
    places::Places,
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

pub(crate) const CONFIRMED: &str = "0199-confirmed";
pub(crate) const REFUNDED: &str = "0199-refunded";
pub(crate) const DECLINED: &str = "0199-declined";

/// What the pipeline tells, by path.
#[derive(Clone)]
pub(crate) struct Told(pub(crate) Value);

impl Told {
    /// A pipeline with one order of each kind, in which all is well.
    pub(crate) fn sound() -> Self {
        Self(json!({
            "/orders": items(&[
                order(CONFIRMED, "confirmed", 1),
                order(REFUNDED, "cancelled", 1),
                order(DECLINED, "cancelled", 2),
            ]),
            "/idempotency-keys": items(&[key("k1", CONFIRMED), key("k2", REFUNDED), key("k3", DECLINED)]),
            "/sandbox/ledger": items(&[
                entry(CONFIRMED, "authorize"),
                entry(CONFIRMED, "capture"),
                entry(REFUNDED, "authorize"),
                entry(REFUNDED, "capture"),
                entry(REFUNDED, "refund"),
            ]),
            "/reservations": items(&[
                reservation(CONFIRMED, "committed", 1),
                reservation(REFUNDED, "released", 1),
                reservation(DECLINED, "released", 2),
            ]),
            "/emails": items(&[
                mail(CONFIRMED, "order-received"),
                mail(CONFIRMED, "order-confirmed"),
                mail(REFUNDED, "order-received"),
                mail(REFUNDED, "order-confirmed"),
                mail(REFUNDED, "order-cancelled"),
                mail(REFUNDED, "order-refunded"),
                mail(DECLINED, "order-cancelled"),
                mail(DECLINED, "order-received"),
            ]),
            "/stock": items(&[json!({
                "sku": "mug", "on_hand": 9, "reserved": 0, "available": 9, "received": 10, "committed": 1,
            })]),
            "/queues": items(&[queue("payment.orders")]),
            "/outbox": {"depth": 0, "oldest_age": null, "set_aside": []},
            "/payments": items(&[]),
        }))
    }

    /// The list at that path.
    pub(crate) fn list(&mut self, path: &str) -> &mut Vec<Value> {
        self.0[path]["items"].as_array_mut().unwrap()
    }

    /// The one of the list at that path whose `field` is `value`.
    pub(crate) fn find(&mut self, path: &str, field: &str, value: &str) -> &mut Value {
        self.list(path).iter_mut().find(|item| item[field] == value).unwrap()
    }

    /// Makes a dead letter of a message about that order.
    pub(crate) fn kill(&mut self, order: &str) {
        let counts = &mut self.list("/queues")[0]["counts"];
        counts["dead"] = 1.into();
        counts["dead_lettered"] = 1.into();
        counts["acked"] = 2.into();
        let letter = json!({"id": "m1", "type": "order.placed", "partitionkey": order, "reason": "503"});
        self.0["/queues/payment.orders/dead-letters"] = items(&[letter]);
    }

    /// Tells it over HTTP and has it checked.
    pub(crate) async fn checked(self, answered: &Answered) -> Result<Report, CheckError> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(tell).with_state(Arc::new(self));
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        let places = Places::new(std::array::from_fn(|_| url.clone()));
        let report = check(&Client::new().unwrap(), &places, answered, Duration::ZERO).await;
        server.abort();
        report
    }

    /// The same for a pipeline that no client of ours used.
    pub(crate) async fn report(self) -> Report {
        self.checked(&Answered::default()).await.unwrap()
    }
}

async fn tell(State(told): State<Arc<Told>>, uri: Uri, RawQuery(query): RawQuery) -> Response {
    let Some(answer) = told.0.get(uri.path()) else { return StatusCode::NOT_FOUND.into_response() };
    let mut answer = answer.clone();
    if query.is_some_and(|query| query.contains("status=pending")) {
        answer["items"].as_array_mut().unwrap().retain(|order| order["status"] == "pending");
    }
    Json(answer).into_response()
}

pub(crate) fn items(items: &[Value]) -> Value {
    json!({ "items": items })
}

pub(crate) fn order(id: &str, status: &str, mugs: i64) -> Value {
    // As one that was captured and refunded, the cancelled one had been confirmed.
    let was_confirmed = status == "confirmed" || id == REFUNDED;
    let timeline = if was_confirmed { json!([{"what": "order.confirmed"}]) } else { json!([]) };
    json!({
        "id": id, "status": status, "timeline": timeline, "attention": [],
        "lines": [{"sku": "mug", "name": "Mug", "quantity": mugs, "price": {"amount": 1299, "currency": "EUR"}}],
        "total": {"amount": 1299 * mugs, "currency": "EUR"},
    })
}

pub(crate) fn key(key: &str, order: &str) -> Value {
    json!({"key": key, "order_id": order})
}

pub(crate) fn entry(order: &str, operation: &str) -> Value {
    json!({"order_id": order, "operation": operation, "amount": {"amount": 1299, "currency": "EUR"}})
}

pub(crate) fn reservation(order: &str, state: &str, mugs: i64) -> Value {
    json!({"order_id": order, "state": state, "lines": [{"sku": "mug", "quantity": mugs}]})
}

pub(crate) fn mail(order: &str, kind: &str) -> Value {
    json!({"order_id": order, "kind": kind})
}

fn queue(name: &str) -> Value {
    json!({"name": name, "counts": {
        "ready": 0, "leased": 0, "delayed": 0, "dead": 0, "published": 3, "replayed": 0, "redriven_in": 0,
        "redriven_out": 0, "acked": 3, "dead_lettered": 0, "discarded": 0, "expired": 0, "dropped": 0, "purged": 0,
    }})
}
