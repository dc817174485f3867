//! Paced redrives: how far they are, and stopping them.

use axum::{Json, extract::State, http::StatusCode};
use broker_core::{command::Command, identity::RedriveId, reply::Refusal, view::RedriveView};
use serde::{Deserialize, Serialize};
use serve::{
    extract::{Path, Query},
    page::{Limit, Page, invalid_cursor},
    problem::Problem,
};
use units::Timestamp;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Api, cursor::Numbered, path::NoQuery, problem::REDRIVE_NOT_FOUND, receipt::parse_number};
use crate::{
    auth::{Caller, grant::Role},
    engine::note::Note,
    error::BrokerError,
};

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show, stop))
}

/// A paced redrive.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct ByTask {
    /// Its number, as the redrive was answered.
    #[param(min_length = 1, example = "17")]
    task: String,
}

impl ByTask {
    /// The number, where it can be one.
    fn id(&self) -> Result<RedriveId, Problem> {
        let number = parse_number(&self.task).and_then(|number| u32::try_from(number).ok());
        number.map(RedriveId).ok_or_else(|| Problem::new(&REDRIVE_NOT_FOUND))
    }
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RedrivesQuery {
    /// How many items at the most.
    #[serde(default)]
    #[param(minimum = 1, maximum = 1000, default = 100, value_type = u32, required = false)]
    limit: Limit,
    /// Where to go on: `next_cursor` of the page before.
    #[param(pattern = "^redrives~(?:0|[1-9][0-9]{0,8})$")]
    cursor: Option<String>,
}

/// A redrive of so many dead letters a second.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PacedRedrive)]
struct Redrive {
    task: String,
    /// The queue whose dead letters they are.
    queue: String,
    /// The queue that they go to.
    to: String,
    per_second: u32,
    state: Stage,
    /// How many were redriven so far.
    redriven: u64,
    /// How many had their turn and were not: dead letters no more, or held by the queue that they go to already.
    skipped: u64,
    /// How many are still to have their turn.
    remaining: u64,
    /// What it waits for at the moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    waiting_for: Option<WaitingFor>,
    /// Why it was stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    stopped: Option<StoppedBy>,
    started_at: Timestamp,
    ended_at: Option<Timestamp>,
}

/// Whether a paced redrive goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = RedriveState)]
enum Stage {
    Running,
    /// All had their turn.
    Done,
    /// It ended before: a queue of it was removed.
    Stopped,
}

/// What a paced redrive can wait for.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum WaitingFor {
    /// The queue that they go to has no room.
    QueueFull,
}

/// What can end a paced redrive early.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = RedriveStoppedBy)]
enum StoppedBy {
    /// Its queue, or the one that they go to, was removed.
    QueueNotFound,
}

impl From<RedriveView> for Redrive {
    fn from(view: RedriveView) -> Self {
        let state = match view.ended_at {
            None => Stage::Running,
            Some(_) if view.remaining == 0 => Stage::Done,
            Some(_) => Stage::Stopped,
        };
        Self {
            task: view.id.0.to_string(),
            queue: view.from.to_string(),
            to: view.to.to_string(),
            per_second: view.per_second,
            state,
            redriven: view.redriven,
            skipped: view.skipped,
            remaining: view.remaining,
            waiting_for: view.waits_for_room.then_some(WaitingFor::QueueFull),
            stopped: (state == Stage::Stopped).then_some(StoppedBy::QueueNotFound),
            started_at: view.started_at,
            ended_at: view.ended_at,
        }
    }
}

/// The paced redrives out of queues that the token may consume from, newest first; the latest hundred that ended
/// are among them.
#[utoipa::path(get, path = "/redrives", operation_id = "list_redrives", tag = "dead letters", params(RedrivesQuery), responses(
    (status = 200, description = "A page of redrives", body = Page<Redrive>),
))]
async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(query): Query<RedrivesQuery>,
) -> Result<Json<Page<Redrive>>, Problem> {
    let before = query.cursor.as_deref().map(|text| place(text).ok_or_else(invalid_cursor)).transpose()?;
    let limit = query.limit.get();
    let found = api.broker.look(move |core, _| {
        let seen = core.paced_redrives(before);
        let seen = seen.filter(|view| caller.may(Role::Consume, view.from.as_str()));
        seen.take(limit + 1).collect::<Vec<_>>()
    });
    let mut found = found.await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more).map(|view| Numbered::Redrives.cursor(view.id.0.into()));
    Ok(Json(Page { items: found.into_iter().map(Into::into).collect(), next_cursor: last }))
}

fn place(cursor: &str) -> Option<RedriveId> {
    let number = Numbered::Redrives.parse(cursor)?;
    u32::try_from(number).ok().map(RedriveId)
}

/// How far a paced redrive is. The role `consume` is needed on the queue that its dead letters are of.
#[utoipa::path(get, path = "/redrives/{task}", operation_id = "get_redrive", tag = "dead letters", params(ByTask), responses(
    (status = 200, description = "The redrive", body = Redrive),
    (status = 403, description = "`forbidden`"),
    (status = 404, description = "`redrive-not-found`"),
))]
async fn show(
    State(api): State<Api>,
    caller: Caller,
    Path(path): Path<ByTask>,
    _: NoQuery,
) -> Result<Json<Redrive>, Problem> {
    let found = find(&api, path.id()?).await?;
    caller.require(Role::Consume, &found.from)?;
    Ok(Json(found.into()))
}

async fn find(api: &Api, id: RedriveId) -> Result<RedriveView, Problem> {
    let found = api.broker.look(move |core, _| core.paced_redrive(id)).await?;
    found.ok_or_else(|| BrokerError::from(Refusal::RedriveNotFound(id)).into())
}

/// Stop a paced redrive where it still runs, and forget it. What was redriven stays so. As for starting it, the
/// role `admin` is needed on the queue that its dead letters are of, and on the one that they go to.
#[utoipa::path(delete, path = "/redrives/{task}", operation_id = "stop_redrive", tag = "dead letters", params(ByTask), responses(
    (status = 204, description = "It does no more"),
    (status = 403, description = "`forbidden`"),
    (status = 404, description = "`redrive-not-found`"),
))]
async fn stop(
    State(api): State<Api>,
    caller: Caller,
    Path(path): Path<ByTask>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    let redrive = path.id()?;
    let RedriveView { from, to, .. } = find(&api, redrive).await?;
    caller.require(Role::Admin, &from)?;
    caller.require(Role::Admin, &to)?;
    let request = serde_json::json!({"task": path.task});
    let note = Note::always(caller.name(), "stop-redrive").queue(&from).to(Some(&to)).request(&request);
    api.broker.send_by_hand(Command::StopRedrive { redrive }, note).await?;
    Ok(StatusCode::NO_CONTENT)
}
