//! `POST /orders`: takes an order, once per `Idempotency-Key`.

mod pricing;
mod request;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use events::{Customer, Line, Money, OrderId};
use messaging::trace_context::TraceContext;
use serve::{
    extract::{Json, NoQuery},
    problem::{INTERNAL, Problem, ProblemBody},
};
use units::Timestamp;

use self::{
    pricing::price,
    request::{PlaceOrder, check},
};
use super::{
    App,
    problem::{IDEMPOTENCY_KEY_IN_FLIGHT, IDEMPOTENCY_KEY_MISSING, IDEMPOTENCY_KEY_REUSED},
    trace::traced,
};
use crate::{
    idempotency::{self, Fingerprint, InvalidKey, Key},
    order::{Happening, Order, Status},
    store::{Placement, Stored},
};

/// Take an order.
#[utoipa::path(post, path = "/orders", tag = "orders",
    params(("Idempotency-Key" = String, Header, min_length = 1, max_length = 255, pattern = r#"^(?!""$)[!-~](?:[ -~]*[!-~])?$"#,
        description = "A value of your own for each order, the same for each retry")),
    request_body = PlaceOrder,
    responses(
        (status = 202, description = "The order is taken. The same key and request again get the same answer, byte for byte.",
            body = Order, headers(("Location" = String, description = "/orders/{id}"))),
        (status = 400, description = "`malformed-json`, or `idempotency-key-missing`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`idempotency-key-in-flight`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`body-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-field`, or `idempotency-key-reused`", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(super) async fn place_order(
    State(app): State<App>,
    _: NoQuery,
    headers: HeaderMap,
    Json(request): Json<PlaceOrder>,
) -> Result<Response, Problem> {
    traced(&headers, "POST", "/orders", StatusCode::ACCEPTED, async |context| {
        take(&app, &headers, request, context).await
    })
    .await
}

async fn take(
    app: &App,
    headers: &HeaderMap,
    request: PlaceOrder,
    context: TraceContext,
) -> Result<Response, Problem> {
    let key = key(headers)?;
    check(&request)?;
    let canonical = serde_json::to_vec(&request).map_err(|_| Problem::new(&INTERNAL))?;
    let fingerprint = Fingerprint::of(&canonical);
    let Some(_claim) = app.0.in_flight.claim(&key) else {
        return Err(Problem::new(&IDEMPOTENCY_KEY_IN_FLIGHT).retry_after(std::time::Duration::from_secs(1)));
    };
    let (lines, total) = match price(&app.0.catalogue, &request.lines).await {
        Ok(priced) => priced,
        // Prices may have changed since the first request: its answer stands all the same.
        Err(problem) => return replay(app, &key, fingerprint).await?.unwrap_or(Err(problem)),
    };
    let order = order(request, lines, total);
    let answer = serde_json::to_string(&order).map_err(|_| Problem::new(&INTERNAL))?;
    let response = accepted(&order.id.to_string(), answer.clone());
    let placement = Placement {
        due_at: order.created_at.plus(app.0.deadline),
        order,
        key: key.clone(),
        fingerprint,
        answer,
        traceparent: context.to_string(),
    };
    if app.0.store.place(placement).await? {
        metrics::counter!("orders_placed_total").increment(1);
        return Ok(response);
    }
    replay(app, &key, fingerprint).await?.unwrap_or_else(|| Err(Problem::new(&INTERNAL)))
}

fn key(headers: &HeaderMap) -> Result<Key, Problem> {
    let mut values = headers.get_all(idempotency::HEADER).iter();
    let value = values.next().map_or(&b""[..], |value| value.as_bytes());
    if values.next().is_some() {
        return Err(Problem::invalid("Idempotency-Key", "is given twice; give it once"));
    }
    Key::parse(value).map_err(|error| match error {
        InvalidKey::Missing => Problem::new(&IDEMPOTENCY_KEY_MISSING).detail(error.to_string()),
        InvalidKey::Malformed => Problem::invalid("Idempotency-Key", error.to_string()),
    })
}

fn order(request: PlaceOrder, lines: Vec<Line>, total: Money) -> Order {
    let now = Timestamp::now();
    Order {
        id: OrderId::new(),
        status: Status::Pending,
        customer: Customer { name: request.customer.name, email: request.customer.email },
        lines,
        total,
        payment_method: request.payment_method,
        created_at: now,
        updated_at: now,
        timeline: vec![Happening { at: now, what: events::kind::ORDER_PLACED.to_owned(), detail: None }],
        attention: vec![],
    }
}

/// The answer that is stored under a key, if any: for the same request again; another one is refused.
async fn replay(
    app: &App,
    key: &Key,
    fingerprint: Fingerprint,
) -> Result<Option<Result<Response, Problem>>, Problem> {
    let stored = app.0.store.answered(key).await?;
    Ok(stored.map(|Stored { fingerprint: first, order_id, answer }| {
        if first == fingerprint {
            Ok(accepted(&order_id, answer))
        } else {
            Err(Problem::new(&IDEMPOTENCY_KEY_REUSED))
        }
    }))
}

fn accepted(order_id: &str, answer: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::LOCATION, format!("/orders/{order_id}")),
    ];
    (StatusCode::ACCEPTED, headers, answer).into_response()
}
