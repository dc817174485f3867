//! `POST /orders`: takes an order, once per `Idempotency-Key`.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use email_address::{EmailAddress, Options};
use events::{Customer, Line, Money, OrderId, Sku};
use messaging::trace_context::TraceContext;
use serde::{Deserialize, Serialize};
use serve::{
    extract::Json,
    problem::{INTERNAL, INVALID_FIELD, Problem, ProblemBody},
};
use units::Timestamp;
use utoipa::ToSchema;

use super::{
    App,
    problem::{IDEMPOTENCY_KEY_IN_FLIGHT, IDEMPOTENCY_KEY_MISSING, IDEMPOTENCY_KEY_REUSED},
};
use crate::{
    idempotency::{self, Fingerprint, InvalidKey, Key},
    order::{Happening, Order, Status},
    product::{Product, is_name, is_sku},
    store::{Placement, Stored},
};

/// The most lines of an order.
const MAX_LINES: usize = 100;
/// The most pieces of a line.
const MAX_QUANTITY: u32 = 1000;

/// An order as its customer asks for it. Prices are not asked for: they are the shop's.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PlaceOrder {
    customer: Orderer,
    /// What, at most one line a SKU.
    #[schema(min_items = 1, max_items = 100)]
    lines: Vec<Wanted>,
    /// A reference at the payment gateway.
    #[schema(pattern = "^pm_[A-Za-z0-9_]{1,60}$", example = "pm_card_visa")]
    payment_method: String,
}

/// Who orders.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Orderer {
    /// Whom the mails address; no control characters.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$",
        example = "Ada Lovelace"
    )]
    name: String,
    /// Where the mails go.
    #[schema(format = Email, max_length = 254, example = "ada@example.com")]
    email: String,
}

/// One line of what is asked for.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// A product's SKU: GET /products lists them.
    #[schema(value_type = String, example = "mug", pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    sku: Sku,
    /// How many.
    #[schema(minimum = 1, maximum = 1000, example = 2)]
    quantity: u32,
}

/// Take an order.
#[utoipa::path(post, path = "/orders", tag = "orders",
    params(("Idempotency-Key" = String, Header, min_length = 1, max_length = 255, pattern = "^[!-~]([ -~]*[!-~])?$",
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
    headers: HeaderMap,
    Json(request): Json<PlaceOrder>,
) -> Result<Response, Problem> {
    let key = key(&headers)?;
    check(&request)?;
    let canonical = serde_json::to_vec(&request).map_err(|_| Problem::new(&INTERNAL))?;
    let fingerprint = Fingerprint::of(&canonical);
    let Some(_claim) = app.0.in_flight.claim(&key) else {
        return Err(Problem::new(&IDEMPOTENCY_KEY_IN_FLIGHT).retry_after(std::time::Duration::from_secs(1)));
    };
    let (lines, total) = match price(&app, &request.lines).await {
        Ok(priced) => priced,
        // Prices may have changed since the first request: its answer stands all the same.
        Err(problem) => return replay(&app, &key, fingerprint).await?.unwrap_or(Err(problem)),
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
        traceparent: traceparent(&headers),
    };
    if app.0.store.place(placement).await? {
        metrics::counter!("orders_placed_total").increment(1);
        return Ok(response);
    }
    replay(&app, &key, fingerprint).await?.unwrap_or_else(|| Err(Problem::new(&INTERNAL)))
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

/// Checks what can be checked without looking anything up; all faults are told at once.
fn check(request: &PlaceOrder) -> Result<(), Problem> {
    let mut faults: Vec<(String, &str)> = Vec::new();
    if !is_name(&request.customer.name) {
        let detail = "is 1 to 200 characters, not only blanks, without control characters";
        faults.push(("customer.name".to_owned(), detail));
    }
    if !is_email(&request.customer.email) {
        faults.push(("customer.email".to_owned(), "is not an email address such as ada@example.com"));
    }
    if !(1..=MAX_LINES).contains(&request.lines.len()) {
        faults.push(("lines".to_owned(), "has 1 to 100 lines"));
    }
    let mut seen = std::collections::HashSet::new();
    for (index, line) in request.lines.iter().enumerate().take(MAX_LINES) {
        if !is_sku(line.sku.as_str()) {
            faults.push((format!("lines[{index}].sku"), "is not a SKU: GET /products lists them"));
        } else if !seen.insert(&line.sku) {
            faults.push((format!("lines[{index}].sku"), "stands in an earlier line too; put them into one"));
        }
        if !(1..=MAX_QUANTITY).contains(&line.quantity) {
            faults.push((format!("lines[{index}].quantity"), "is 1 to 1000"));
        }
    }
    if !is_payment_method(&request.payment_method) {
        faults.push(("payment_method".to_owned(), "is pm_ and 1 to 60 of A-Z a-z 0-9 _"));
    }
    refuse(faults)
}

fn refuse<T: Into<String>>(faults: Vec<(String, T)>) -> Result<(), Problem> {
    if faults.is_empty() {
        return Ok(());
    }
    let problem = Problem::new(&INVALID_FIELD);
    Err(faults.into_iter().fold(problem, |problem, (field, detail)| problem.field(field, detail)))
}

fn is_email(text: &str) -> bool {
    let options = Options::default().without_display_text().without_domain_literal();
    EmailAddress::parse_with_options(text, options).is_ok() && !text.chars().any(char::is_control)
}

fn is_payment_method(text: &str) -> bool {
    text.strip_prefix("pm_").is_some_and(|rest| {
        (1..=60).contains(&rest.len())
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

/// The lines at today's prices, and their sum.
async fn price(app: &App, wanted: &[Wanted]) -> Result<(Vec<Line>, Money), Problem> {
    let skus: Vec<Sku> = wanted.iter().map(|line| line.sku.clone()).collect();
    let products = app.0.catalogue.find(&skus).await?;
    let mut lines = Vec::with_capacity(wanted.len());
    let mut faults = Vec::new();
    for (index, (wanted, product)) in wanted.iter().zip(products).enumerate() {
        match product {
            Some(product) => lines.push(line(wanted, product)),
            None => faults
                .push((format!("lines[{index}].sku"), "there is no such product: GET /products lists them")),
        }
    }
    refuse(faults)?;
    let total = total(&lines)?;
    Ok((lines, total))
}

fn line(wanted: &Wanted, product: Product) -> Line {
    Line { sku: product.sku, name: product.name, quantity: wanted.quantity, price: product.price }
}

fn total(lines: &[Line]) -> Result<Money, Problem> {
    let mut total: Option<Money> = None;
    for (index, line) in lines.iter().enumerate() {
        let currency = total.map_or(line.price.currency, |total| total.currency);
        if line.price.currency != currency {
            let detail = format!("is priced in {}, the lines before it in {currency}", line.price.currency);
            return Err(Problem::invalid(format!("lines[{index}].sku"), detail));
        }
        let before = total.unwrap_or(Money::new(0, currency));
        let sum = line.price.times(line.quantity).and_then(|price| before.plus(price));
        let too_much = || Problem::invalid(format!("lines[{index}].quantity"), "makes the total too large");
        total = Some(sum.ok_or_else(too_much)?);
    }
    total.ok_or_else(|| Problem::invalid("lines", "has 1 to 100 lines"))
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

/// The trace that the request is part of, one span further.
pub(super) fn traceparent(headers: &HeaderMap) -> Option<String> {
    let context: TraceContext = headers.get("traceparent")?.to_str().ok()?.parse().ok()?;
    Some(context.child().to_string())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_address_is_an_address_and_nothing_else() {
        for good in ["ada@example.com", "a.b+c@mail.example.org"] {
            assert!(is_email(good), "{good}");
        }
        for bad in ["", "ada", "ada@", "@example.com", "a b@example.com", "Ada <ada@example.com>", "a@b\r\n"]
        {
            assert!(!is_email(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_payment_method_is_a_reference_and_never_a_card_number() {
        assert!(is_payment_method("pm_card_visa"));
        let long = format!("pm_{}", "a".repeat(61));
        for bad in ["", "pm_", "4242424242424242", "pm_a-b", "PM_a", &long] {
            assert!(!is_payment_method(bad), "{bad}");
        }
    }

    #[test]
    fn a_total_that_does_not_fit_or_mixes_currencies_is_refused_with_its_line() {
        let line = |amount, currency: &str, quantity| Line {
            sku: Sku::new("mug"),
            name: "Mug".to_owned(),
            quantity,
            price: Money::new(amount, events::Currency::parse(currency).unwrap()),
        };
        assert_eq!(total(&[line(1299, "EUR", 2), line(1, "EUR", 1)]).unwrap(), Money::eur(2599));
        assert!(total(&[line(1, "EUR", 1), line(i64::MAX, "EUR", 1)]).is_err());
        assert!(total(&[line(i64::MAX / 2, "EUR", 3)]).is_err());
        assert!(total(&[line(1, "EUR", 1), line(1, "USD", 1)]).is_err());
    }
}
