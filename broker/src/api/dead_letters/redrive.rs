//! Redriving: dead letters back among the messages that wait, in their queue or in another, at once or so
//! many a second.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use broker_core::{
    command::Command,
    identity::Sequence,
    reply::{Redriven, Reply},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serve::{
    extract::{Path, Query},
    problem::Problem,
};
use units::Timestamp;
use utoipa::ToSchema;

use super::{
    candidates::{Candidates, Wanted},
    selection::Selection,
};
use crate::{
    api::{
        Api,
        given::{Count, Given, Moment, Pace, Whole},
        path::{BySource, InQueue, name},
        queues::unexpected,
    },
    auth::{Caller, grant::Role},
    engine::note::Note,
};

/// What to redrive: by ids, or all that fit a filter; `{}` is all.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RedriveBody {
    /// Only dead letters of these ids.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    ids: Given<Vec<String>>,
    /// Only of this event type.
    #[serde(default)]
    #[schema(value_type = String)]
    r#type: Given<String>,
    /// Only those whose last reason has this in it.
    #[serde(default)]
    #[schema(value_type = String)]
    reason: Given<String>,
    /// Only those that last failed at this time or later.
    #[serde(default)]
    #[schema(value_type = Moment)]
    since: Given<Timestamp>,
    /// Only those that last failed at this time or earlier.
    #[serde(default)]
    #[schema(value_type = Moment)]
    until: Given<Timestamp>,
    /// How many at the most, oldest first; with `per_second`, how many have their turn.
    #[serde(default)]
    #[schema(value_type = Count)]
    limit: Given<Count>,
    /// Only say what would be redriven now; with `per_second` too, though that would wait for room.
    #[serde(default)]
    dry_run: bool,
    /// So many a second, as a task that goes on by itself and survives a restart.
    #[serde(default)]
    #[schema(value_type = Pace)]
    per_second: Given<Pace>,
    /// Into this queue instead of their own; `admin` is needed on it too. What it holds already, ready, leased,
    /// delayed or dead, by the topic that both are subscribed to, stays a dead letter here (`already_there`).
    #[serde(default)]
    #[schema(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
    to: Given<String>,
}

/// What was redriven.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RedriveResult {
    /// How many.
    redriven: usize,
    /// Their ids, oldest first.
    ids: Vec<String>,
    /// Those of the ids asked for that no dead letter has.
    not_found: Vec<String>,
    /// Those that stay dead letters, as the queue `to` holds them already; absent where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    already_there: Vec<String>,
    /// Why it stopped before the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    stopped: Option<Stopped>,
}

/// Why a redrive stopped.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Stopped {
    /// The queue that they go to has no more room.
    QueueFull,
}

/// A redrive that goes on by itself.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RedriveStarted {
    /// Its number: GET /redrives/{task} says how far it is.
    task: String,
    /// Those of the ids asked for that no dead letter has.
    not_found: Vec<String>,
}

impl RedriveBody {
    fn wanted(&self, source: &BySource) -> Result<Wanted, Problem> {
        let Self { ids, r#type, reason, since, until, .. } = self;
        let (kind, reason) = (r#type.0.clone(), reason.0.clone());
        let selection = Selection { kind, source: None, reason, since: **since, until: **until };
        Wanted::of(ids.0.clone(), selection, source)
    }

    /// For the audit trail.
    fn described(&self, wanted: &Wanted) -> Value {
        let mut described = wanted.described();
        let limit = self.limit.map(|Whole(limit)| limit);
        let per_second = self.per_second.map(|Whole(per_second)| per_second);
        let numbers = [("limit", limit), ("per_second", per_second)];
        described.extend(numbers.into_iter().filter_map(|(name, it)| Some((name.to_owned(), it?.into()))));
        Value::Object(described)
    }
}

/// Redrive dead letters by id or by a filter, oldest first, as new deliveries; with `per_second`, as a task.
///
/// Very many are redriven in slices, with other calls in between; where it fails in the middle, the audit trail
/// says how many were redriven.
#[utoipa::path(post, path = "/queues/{queue}/dead-letters/redrive", operation_id = "redrive_dead_letters", tag = "dead letters", params(InQueue, BySource),
    request_body = RedriveBody,
    responses(
        (status = 200, description = "What was redriven", body = RedriveResult),
        (status = 202, description = "It was started", body = RedriveStarted),
        (status = 404, description = "`queue-not-found`: of the path or of `to`"),
        (status = 429, description = "`too-many-redrives`: with `per_second`; nothing was started"),
    ))]
pub(super) async fn redrive(
    State(api): State<Api>,
    caller: Caller,
    Path(path): Path<InQueue>,
    Query(source): Query<BySource>,
    serve::extract::Json(body): serve::extract::Json<RedriveBody>,
) -> Result<Response, Problem> {
    let queue = path.name()?;
    let wanted = body.wanted(&source)?;
    let to = body.to.as_deref().map(|text| name("to", text)).transpose()?;
    to.as_ref().map_or(Ok(()), |to| caller.require(Role::Admin, to))?;
    let limit = body.limit.map(|Whole(limit)| limit);
    let note =
        Note::new(caller.name(), "redrive").queue(&queue).to(to.as_ref()).request(&body.described(&wanted));
    if let (Some(Whole(per_second)), false) = (*body.per_second, body.dry_run) {
        let which = wanted.dead_letters(&api, &queue).await?;
        let per_second = u32::try_from(per_second).unwrap_or(u32::MAX);
        let start = Command::StartRedrive { queue, which, to, limit, per_second };
        return match api.broker.send_by_hand(start, note).await? {
            Reply::RedriveStarted { redrive, not_found, .. } => {
                let not_found = wanted.ids_at(&not_found);
                let started = RedriveStarted { task: redrive.0.to_string(), not_found };
                Ok((StatusCode::ACCEPTED, Json(started)).into_response())
            }
            other => Err(unexpected(&other)),
        };
    }
    // The ids are gathered first: what is redriven may be consumed and gone before its answer is written.
    let candidates = wanted.candidates(&api, &queue).await?;
    let (which, to) = (&candidates.sequences, to.as_ref());
    let done = if body.dry_run {
        api.broker.rehearse_redrive(&queue, which, to, limit).await?
    } else {
        api.broker.redrive(&queue, which, to, limit, &note).await?
    };
    Ok(Json(result(candidates, &done)).into_response())
}

fn result(mut candidates: Candidates, done: &Redriven) -> RedriveResult {
    let mut ids = |of: &[Sequence]| of.iter().filter_map(|it| candidates.ids.remove(it)).collect();
    RedriveResult {
        redriven: done.sequences.len(),
        ids: ids(&done.sequences),
        already_there: ids(&done.held),
        not_found: candidates.not_found,
        stopped: done.stopped_full.then_some(Stopped::QueueFull),
    }
}
