//! `POST /orders/{id}/cancel`: the customer does not want it any more; everything is undone.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use events::OrderId;
use messaging::trace_context::TraceContext;
use serde::Deserialize;
use serve::{
    extract::{self, NoQuery, Path},
    problem::{Problem, ProblemBody},
};
use units::Timestamp;
use utoipa::ToSchema;

use super::{
    App,
    get_order::{find, order_id},
    problem::ALREADY_CANCELLED,
    trace::traced,
};
use crate::{
    order::Order,
    saga::Input,
    store::{Change, Outcome},
};

/// Nothing is asked for besides.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CancelOrder {}

/// Cancel a pending or confirmed order.
#[utoipa::path(post, path = "/orders/{id}/cancel", tag = "orders",
    params(("id" = String, Path, description = "The order's id")),
    request_body = Option<CancelOrder>,
    responses(
        (status = 200, description = "The order, cancelled; what was done for it is being undone", body = Order),
        (status = 400, description = "`malformed-json`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`order-not-found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`already-cancelled`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`body-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-field`", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(super) async fn cancel_order(
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
    extract::Json(_): extract::Json<Option<CancelOrder>>,
) -> Result<Json<Order>, Problem> {
    let id = order_id(&id)?;
    traced(&headers, "POST", "/orders/{id}/cancel", StatusCode::OK, async |context| {
        cancel(&app, id, context).await
    })
    .await
}

async fn cancel(app: &App, id: OrderId, context: TraceContext) -> Result<Json<Order>, Problem> {
    let change = Change {
        order: id,
        input: Input::Cancel,
        what: "cancel-requested".to_owned(),
        detail: None,
        at: Timestamp::now(),
        traceparent: Some(context.to_string()),
    };
    match app.0.store.advance(change, app.0.compensation_deadline).await? {
        Outcome::Decided(decision) if decision.announce.is_some() => find(app, id).await.map(Json),
        Outcome::Decided(_) | Outcome::Repeated => {
            Err(Problem::new(&ALREADY_CANCELLED).detail(format!("order {id} is cancelled already")))
        }
    }
}
