//! Dead letters: look at them, redrive them, discard them.

use axum::{extract::State, response::Response};
use broker_core::reply::Refusal;
use serve::{
    extract::{Path, Query},
    problem::Problem,
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    path::{BySource, InQueueById},
    queues::look_into,
};
use crate::error::BrokerError;

mod candidates;
mod fold;
mod groups;
mod history;
mod item;
mod list;
mod purge;
mod redrive;
mod selection;
mod totals;

pub use purge::PurgeBody;
pub use redrive::RedriveBody;

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(totals::totals))
        .routes(routes!(list::list))
        .routes(routes!(redrive::redrive))
        .routes(routes!(groups::groups))
        .routes(routes!(purge::purge))
        .routes(routes!(show, purge::discard))
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

/// How many dead letters are looked at, and how many stored events are read, at a time.
const AT_ONCE: usize = 256;
