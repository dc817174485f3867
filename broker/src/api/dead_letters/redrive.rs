//! Redriving: dead letters back among the messages that wait, in their queue or in another.

use std::collections::HashMap;

use axum::{Json, extract::State};
use broker_core::{
    command::{Command, DeadLetters},
    identity::{Name, Selector, Sequence},
    reply::{Redriven, Reply},
};
use serde::{Deserialize, Serialize};
use serve::{
    extract::{Path, Query},
    problem::Problem,
};
use utoipa::ToSchema;

use super::{AT_ONCE, all, item};
use crate::{
    api::{
        Api,
        given::{Count, Given, Whole},
        path::{BySource, InQueue, name},
        queues::{look_into, unexpected},
    },
    auth::{Caller, grant::Role},
};

/// What to redrive; `{}` is all.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RedriveBody {
    /// Only dead letters of these ids.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    ids: Given<Vec<String>>,
    /// How many at the most, oldest first.
    #[serde(default)]
    #[schema(value_type = Count)]
    limit: Given<Count>,
    /// Only say what would be redriven.
    #[serde(default)]
    dry_run: bool,
    /// Into this queue instead of their own; `admin` is needed on it too.
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

/// Redrive dead letters by id, or all of them, oldest first, as new deliveries.
#[utoipa::path(post, path = "/queues/{queue}/dead-letters/redrive", operation_id = "redrive_dead_letters", tag = "dead letters", params(InQueue, BySource),
    request_body = RedriveBody,
    responses(
        (status = 200, description = "What was redriven", body = RedriveResult),
        (status = 404, description = "`queue-not-found`: of the path or of `to`"),
    ))]
pub(super) async fn redrive(
    State(api): State<Api>,
    caller: Caller,
    Path(path): Path<InQueue>,
    Query(source): Query<BySource>,
    serve::extract::Json(body): serve::extract::Json<RedriveBody>,
) -> Result<Json<RedriveResult>, Problem> {
    let queue = path.name()?;
    if source.is_given() && body.ids.is_none() {
        return Err(Problem::invalid("source", "narrows ids: give ids too"));
    }
    let to = body.to.as_deref().map(|text| name("to", text)).transpose()?;
    to.as_ref().map_or(Ok(()), |to| caller.require(Role::Admin, to))?;
    let limit = body.limit.map(|Whole(limit)| limit);
    let which = body
        .ids
        .as_ref()
        .map_or(DeadLetters::All, |ids| DeadLetters::Ids(ids.iter().map(|id| source.narrow(id)).collect()));
    // The ids are gathered first: what is redriven may be consumed and gone before its answer is written.
    let candidates = match (&which, &*body.ids) {
        (DeadLetters::Ids(selectors), Some(ids)) => of_ids(&api, &queue, selectors.clone(), ids).await?,
        _ => of_all(&api, &queue, limit).await?,
    };
    let done = if body.dry_run {
        look_for_target(&api, to.as_ref()).await?;
        candidates.would_be(limit)
    } else {
        match api.broker.send(Command::Redrive { queue, which, to, limit }).await? {
            Reply::Redriven(done) => done,
            other => return Err(unexpected(&other)),
        }
    };
    Ok(Json(candidates.result(&done, body.ids.as_deref().unwrap_or_default())))
}

/// What a dry run would refuse.
async fn look_for_target(api: &Api, to: Option<&Name>) -> Result<(), Problem> {
    match to {
        Some(to) => look_into(api, to, |_| ()).await,
        None => Ok(()),
    }
}

/// The dead letters that a redrive may take, oldest first, with their ids.
struct Candidates {
    sequences: Vec<Sequence>,
    ids: HashMap<Sequence, String>,
    not_found: Vec<usize>,
}

impl Candidates {
    /// What a redrive would do now.
    fn would_be(&self, limit: Option<u64>) -> Redriven {
        let limit = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        Redriven {
            sequences: self.sequences.iter().take(limit).copied().collect(),
            not_found: self.not_found.clone(),
            stopped_full: false,
        }
    }

    fn result(mut self, done: &Redriven, asked: &[String]) -> RedriveResult {
        RedriveResult {
            redriven: done.sequences.len(),
            ids: done.sequences.iter().filter_map(|sequence| self.ids.remove(sequence)).collect(),
            not_found: done.not_found.iter().filter_map(|place| asked.get(*place).cloned()).collect(),
            stopped: done.stopped_full.then_some(Stopped::QueueFull),
        }
    }
}

async fn of_ids(
    api: &Api,
    queue: &Name,
    selectors: Vec<Selector>,
    ids: &[String],
) -> Result<Candidates, Problem> {
    let wanted = queue.clone();
    let found = look_into(api, queue, move |core| {
        selectors.iter().map(|selector| core.find_dead(&wanted, *selector)).collect::<Vec<_>>()
    });
    let mut candidates = Candidates { sequences: Vec::new(), ids: HashMap::new(), not_found: Vec::new() };
    for (place, sequences) in found.await?.into_iter().enumerate() {
        if sequences.is_empty() {
            candidates.not_found.push(place);
        }
        candidates.ids.extend(sequences.into_iter().map(|sequence| (sequence, ids[place].clone())));
    }
    candidates.sequences = candidates.ids.keys().copied().collect();
    candidates.sequences.sort_unstable();
    Ok(candidates)
}

async fn of_all(api: &Api, queue: &Name, limit: Option<u64>) -> Result<Candidates, Problem> {
    let mut sequences = all(api, queue).await?;
    sequences.truncate(limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX)));
    let mut ids = HashMap::with_capacity(sequences.len());
    for slice in sequences.chunks(AT_ONCE) {
        let records = api.broker.records(slice.to_vec()).await?;
        for (sequence, record) in slice.iter().zip(records) {
            if let Some(record) = record {
                ids.insert(*sequence, item::read(&record)?.id.into_owned());
            }
        }
    }
    Ok(Candidates { sequences, ids, not_found: Vec::new() })
}
