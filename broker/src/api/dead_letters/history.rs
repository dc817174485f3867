//! One dead letter with its message, as stored, and its failures.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};
use broker_core::{
    change::{FailureOutcome, FailureRecord},
    view::DeadLetter,
};
use serde::Serialize;
use serde_json::value::RawValue;
use serve::problem::Problem;
use units::Timestamp;
use utoipa::ToSchema;

use super::item::{Item, unreadable};
use crate::{
    api::{json::answer, publishing::CloudEvent},
    store::Found,
};

/// A dead letter with its message and history.
#[derive(Serialize, ToSchema)]
pub(super) struct DeadLetterWithHistory<'a> {
    #[serde(flatten)]
    item: Item,
    /// How many other dead letters of this queue have the id.
    others: usize,
    /// Its failures, oldest first; the last 50.
    history: Vec<Failure>,
    /// The event, as it is stored; null when it is damaged.
    #[schema(value_type = Option<CloudEvent>, required = true)]
    message: Option<&'a RawValue>,
}

/// A delivery that failed, or a death without one.
#[derive(Serialize, ToSchema)]
struct Failure {
    delivery_count: u32,
    /// When it was handed out; null where it was not.
    delivered_at: Option<Timestamp>,
    ended_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    consumer: Option<Arc<str>>,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    reason: Option<Arc<str>>,
}

/// How a delivery failed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    Nacked,
    LeaseExpired,
    DeadLettered,
}

impl From<&FailureRecord> for Failure {
    fn from(failure: &FailureRecord) -> Self {
        Self {
            delivery_count: failure.delivery_count,
            delivered_at: failure.delivered_at,
            ended_at: failure.ended_at,
            consumer: failure.consumer.clone(),
            outcome: match failure.outcome {
                FailureOutcome::Nacked => Outcome::Nacked,
                FailureOutcome::LeaseExpired => Outcome::LeaseExpired,
                FailureOutcome::DeadLettered => Outcome::DeadLettered,
            },
            reason: failure.reason.clone(),
        }
    }
}

/// Writes it.
pub(super) fn render(
    letter: &DeadLetter,
    record: &Found,
    failures: &[FailureRecord],
    others: usize,
) -> Result<Response, Problem> {
    let item = Item::of(letter, record, failures.last())?;
    let history = failures.iter().map(Into::into).collect();
    let message = match record {
        Found::Whole(record) => Some(serde_json::from_slice(record).map_err(|error| unreadable(&error))?),
        Found::Damaged(_) => None,
    };
    let shown = DeadLetterWithHistory { item, others, history, message };
    let out = serde_json::to_vec(&shown).expect("texts, numbers and times are always JSON");
    Ok(answer(StatusCode::OK, out))
}
