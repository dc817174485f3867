//! Watching: what happened to one message.

use axum::{Json, extract::State};
use broker_core::{
    activity::ActivityKind,
    identity::{Name, QueueId},
};
use serde::{Deserialize, Serialize};
use serve::{
    extract::{Path, Query},
    problem::Problem,
};
use units::Timestamp;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Api, path::BySource, problem::MESSAGE_NOT_FOUND};
use crate::{
    auth::Caller,
    engine::journey::{Journey, Step},
};

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(journey))
}

/// A message, wherever it is.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct ById {
    /// The message's id, percent-encoded.
    #[param(min_length = 1)]
    id: String,
}

/// What happened to a message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Journey)]
struct JourneyText {
    id: String,
    /// Oldest first.
    journey: Vec<StepText>,
    /// Whether nothing of it was forgotten or is withheld.
    complete: bool,
    /// How many other messages of this id are known, of those that the caller may see something of.
    others: usize,
}

/// One thing that happened.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JourneyStep)]
struct StepText {
    at: Timestamp,
    /// What happened.
    what: What,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    queue: Option<String>,
    /// Where it was published to a topic.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    topic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    consumer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<String>,
}

/// What can happen to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum What {
    Published,
    Copied,
    Leased,
    Acked,
    Nacked,
    Returned,
    LeaseExpired,
    DeadLettered,
    Redriven,
    Replayed,
    Expired,
    Dropped,
    Purged,
    Discarded,
    Removed,
    AutoAcked,
}

impl From<ActivityKind> for What {
    fn from(kind: ActivityKind) -> Self {
        match kind {
            ActivityKind::Published => Self::Published,
            ActivityKind::Copied => Self::Copied,
            ActivityKind::Leased => Self::Leased,
            ActivityKind::Acked => Self::Acked,
            ActivityKind::Nacked => Self::Nacked,
            ActivityKind::Returned => Self::Returned,
            ActivityKind::LeaseExpired => Self::LeaseExpired,
            ActivityKind::DeadLettered => Self::DeadLettered,
            ActivityKind::Redriven => Self::Redriven,
            ActivityKind::Replayed => Self::Replayed,
            ActivityKind::Expired => Self::Expired,
            ActivityKind::Dropped => Self::Dropped,
            ActivityKind::Purged => Self::Purged,
            ActivityKind::Discarded => Self::Discarded,
            ActivityKind::Removed => Self::Removed,
            ActivityKind::AutoAcked => Self::AutoAcked,
        }
    }
}

impl What {
    /// The word for it on the wire.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Copied => "copied",
            Self::Leased => "leased",
            Self::Acked => "acked",
            Self::Nacked => "nacked",
            Self::Returned => "returned",
            Self::LeaseExpired => "lease-expired",
            Self::DeadLettered => "dead-lettered",
            Self::Redriven => "redriven",
            Self::Replayed => "replayed",
            Self::Expired => "expired",
            Self::Dropped => "dropped",
            Self::Purged => "purged",
            Self::Discarded => "discarded",
            Self::Removed => "removed",
            Self::AutoAcked => "auto-acked",
        }
    }
}

impl From<Step> for StepText {
    fn from(step: Step) -> Self {
        Self {
            at: step.at,
            what: step.what.into(),
            queue: step.queue.map(|name| name.to_string()),
            topic: step.topic.map(|name| name.to_string()),
            consumer: step.consumer.as_deref().map(ToOwned::to_owned),
            reason: step.reason.as_deref().map(ToOwned::to_owned),
        }
    }
}

/// What happened to a message: where it was published and copied to, each lease and how it ended.
///
/// After a restart only the failures of messages that still exist are known, and `complete` is false. So it is where
/// something is withheld: what happened in a queue is shown to those who may consume from it, what was published to
/// a topic to those who have a role on it. Nothing else tells that the message is there.
#[utoipa::path(get, path = "/messages/{id}", operation_id = "get_journey", tag = "watching", params(ById, BySource), responses(
    (status = 200, description = "The newest message of this id", body = JourneyText),
    (status = 404, description = "`message-not-found`"),
))]
async fn journey(
    State(api): State<Api>,
    caller: Caller,
    Path(ById { id }): Path<ById>,
    Query(source): Query<BySource>,
) -> Result<Json<JourneyText>, Problem> {
    let asks = caller.clone();
    let sight = Box::new(move |queue: Option<&Name>, topic: Option<&Name>| asks.may_watch(queue, topic));
    let found = api.broker.journey(source.narrow(&id), sight).await?;
    let known = found.ok_or_else(|| Problem::new(&MESSAGE_NOT_FOUND))?;
    let mut steps = if known.complete { Vec::new() } else { stored_failures(&api, &known).await? };
    steps.retain(|step| caller.may_watch(step.queue.as_ref(), None));
    steps.extend(known.steps);
    let journey = steps.into_iter().map(StepText::from).collect();
    Ok(Json(JourneyText { id, journey, complete: known.complete, others: known.others }))
}

/// The failures on record from before memory begins.
async fn stored_failures(api: &Api, known: &Journey) -> Result<Vec<Step>, Problem> {
    let begins = known.steps.first().map_or(Timestamp::MAX, |step| step.at);
    let mut failures = Vec::new();
    for (id, _) in &known.places {
        failures.extend(api.broker.history(*id, known.sequence).await?);
    }
    failures.retain(|failure| failure.ended_at < begins);
    failures.sort_by_key(|failure| failure.ended_at);
    let queues: Vec<QueueId> = failures.iter().map(|failure| failure.failed_in).collect();
    let names = api.broker.queue_names(queues).await?;
    let named = failures.into_iter().zip(names);
    Ok(named.flat_map(|(failure, queue)| Step::of_failure(failure, queue)).collect())
}
