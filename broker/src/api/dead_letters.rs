//! Dead letters: look at them, redrive them, discard them.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use broker_core::{
    command::{Command, DeadLetters},
    identity::{Name, Sequence},
    reply::{Refusal, Reply},
    view::DeadLetter,
};
use serve::{
    extract::{Path, Query},
    problem::Problem,
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    path::{BySource, InQueue, InQueueById, NoQuery},
    queues::{Nothing, Purged, look_into, unexpected},
};
use crate::error::BrokerError;

mod history;
mod item;
mod list;
mod redrive;
mod totals;

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(totals::totals))
        .routes(routes!(list::list))
        .routes(routes!(redrive::redrive))
        .routes(routes!(purge))
        .routes(routes!(show, discard))
}

/// One dead letter with its message and history, oldest failure first, kept over redrives.
#[utoipa::path(get, path = "/queues/{queue}/dead-letters/{id}", operation_id = "get_dead_letter", tag = "dead letters", params(InQueueById, BySource),
    responses(
        (status = 200, description = "The newest of this id; `others` says how many more there are", body = history::DeadLetterWithHistory),
        (status = 404, description = "`queue-not-found` or `dead-letter-not-found`"),
    ))]
async fn show(
    State(api): State<Api>,
    Path(path): Path<InQueueById>,
    Query(source): Query<BySource>,
) -> Result<Response, Problem> {
    let (queue, selector) = (path.queue()?, path.selector(&source));
    let wanted = queue.clone();
    let found = look_into(&api, &queue, move |core| {
        let found = core.find_dead(&wanted, selector);
        let newest = found.first().and_then(|sequence| core.dead_letter(&wanted, *sequence));
        let id = core.queue(&wanted).map(|view| view.id);
        Some((id?, newest?, found.len() - 1))
    });
    let (queue, letter, others) = found.await?.ok_or_else(missing)?;
    let mut records = api.broker.records(vec![letter.sequence]).await?;
    let record = records.pop().flatten().ok_or_else(missing)?;
    let failures = api.broker.history(queue, letter.sequence).await?;
    history::render(&letter, &record, &failures, others)
}

/// The problem of a dead letter that is not there.
fn missing() -> Problem {
    BrokerError::from(Refusal::DeadLetterNotFound).into()
}

/// Discard all dead letters of this id.
#[utoipa::path(delete, path = "/queues/{queue}/dead-letters/{id}", operation_id = "discard_dead_letter", tag = "dead letters", params(InQueueById, BySource),
    responses(
        (status = 204, description = "Discarded"),
        (status = 404, description = "`queue-not-found` or `dead-letter-not-found`"),
    ))]
async fn discard(
    State(api): State<Api>,
    Path(path): Path<InQueueById>,
    Query(source): Query<BySource>,
) -> Result<StatusCode, Problem> {
    let which = DeadLetters::Ids(vec![path.selector(&source)]);
    match api.broker.send(Command::DiscardDeadLetters { queue: path.queue()?, which }).await? {
        Reply::Removed { count: 0 } => Err(missing()),
        Reply::Removed { .. } => Ok(StatusCode::NO_CONTENT),
        other => Err(unexpected(&other)),
    }
}

/// Discard all dead letters of the queue.
#[utoipa::path(post, path = "/queues/{queue}/dead-letters/purge", operation_id = "purge_dead_letters", tag = "dead letters", params(InQueue),
    request_body = Nothing,
    responses(
        (status = 200, description = "How many were discarded", body = Purged),
        (status = 404, description = "`queue-not-found`"),
    ))]
async fn purge(
    State(api): State<Api>,
    Path(path): Path<InQueue>,
    _: NoQuery,
    serve::extract::Json(Nothing {}): serve::extract::Json<Nothing>,
) -> Result<Json<Purged>, Problem> {
    let discard = Command::DiscardDeadLetters { queue: path.name()?, which: DeadLetters::All };
    Purged::of(&api.broker.send(discard).await?)
}

/// How many dead letters are looked at, and how many stored events are read, at a time.
const AT_ONCE: usize = 256;

/// All dead letters of a queue, oldest first.
async fn all(api: &Api, queue: &Name) -> Result<Vec<Sequence>, Problem> {
    let mut found: Vec<DeadLetter> = Vec::new();
    loop {
        let before = found.last().map(|letter| (letter.since, letter.sequence));
        let wanted = queue.clone();
        let slice = look_into(api, queue, move |core| core.dead_letters(&wanted, before, AT_ONCE)).await?;
        let ended = slice.len() < AT_ONCE;
        found.extend(slice);
        if ended {
            return Ok(found.into_iter().rev().map(|letter| letter.sequence).collect());
        }
    }
}
