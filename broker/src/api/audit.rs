//! The audit trail: what was done by hand, by whom and when.

use std::sync::Arc;

use axum::{Json, extract::State};
use broker_core::change::AuditRecord;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serve::{
    extract::Query,
    page::{Limit, Page, invalid_cursor},
    problem::Problem,
};
use units::Timestamp;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Api, cursor::Numbered};

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AuditQuery {
    /// How many items at the most.
    #[serde(default)]
    #[param(minimum = 1, maximum = 1000, default = 100, value_type = u32, required = false)]
    limit: Limit,
    /// Where to go on: `next_cursor` of the page before.
    #[param(pattern = "^audit~(?:0|[1-9][0-9]{0,17})$")]
    cursor: Option<String>,
}

/// Something that was done by hand.
#[derive(Debug, Serialize, ToSchema)]
struct AuditItem {
    at: Timestamp,
    /// The name of the token; `anonymous` where none was needed.
    #[schema(value_type = String)]
    who: Arc<str>,
    /// What: `redrive`, `stop-redrive`, `discard`, `purge-dead-letters`, `purge`, `remove`, `replay`,
    /// `put-queue`, `delete-queue`, `put-topic`, `delete-topic`, `put-subscription`, `delete-subscription`,
    /// `create-token` or `revoke-token`. What is put as it was already is not told of.
    #[schema(value_type = String, example = "redrive")]
    action: Arc<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    queue: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    topic: Option<Arc<str>>,
    /// The queue that messages went to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    to: Option<Arc<str>>,
    /// How many messages it concerned; 0 of tokens and settings.
    count: u64,
    /// What was asked for; of a token its name and what it allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, required = false)]
    request: Option<Box<RawValue>>,
}

impl From<AuditRecord> for AuditItem {
    fn from(record: AuditRecord) -> Self {
        let AuditRecord { number: _, at, who, action, queue, topic, to, count, request } = record;
        let request = request.and_then(|request| RawValue::from_string(request.to_string()).ok());
        Self { at, who, action, queue, topic, to, count, request }
    }
}

/// What was done by hand, newest first: the last 100,000 of it.
#[utoipa::path(get, path = "/audit", operation_id = "list_audit", tag = "watching", params(AuditQuery), responses(
    (status = 200, description = "A page of the audit trail", body = Page<AuditItem>),
))]
async fn list(
    State(api): State<Api>,
    Query(query): Query<AuditQuery>,
) -> Result<Json<Page<AuditItem>>, Problem> {
    let before = query
        .cursor
        .as_deref()
        .map(|text| Numbered::Audit.parse(text).ok_or_else(invalid_cursor))
        .transpose()?;
    let limit = query.limit.get();
    let mut found = api.broker.audit(before, limit + 1).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next_cursor = found.last().filter(|_| more).map(|record| Numbered::Audit.cursor(record.number));
    Ok(Json(Page { items: found.into_iter().map(Into::into).collect(), next_cursor }))
}
