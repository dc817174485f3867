//! The list of a queue's dead letters, newest first, narrowed by type, reason and time.

use axum::{Json, extract::State};
use broker_core::{
    identity::{Name, QueueId, Sequence},
    view::DeadLetter,
};
use serde::Deserialize;
use serve::{
    extract::{Path, Query},
    page::{Limit, Page, invalid_cursor},
    problem::Problem,
};
use units::Timestamp;
use utoipa::IntoParams;

use super::{AT_ONCE, item::Item};
use crate::api::{Api, cursor::Timeline, given::Moment, path::InQueue, queues::look_into};

/// How many dead letters one call looks through for those that fit.
const MOST_LOOKED_AT: usize = 20_000;

/// Which dead letters to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DeadLetterQuery {
    /// Only of this event type.
    r#type: Option<String>,
    /// Only those whose last reason has this in it.
    reason: Option<String>,
    /// Only those that last failed at this time or later.
    #[param(inline, value_type = Option<Moment>)]
    since: Option<Timestamp>,
    /// Only those that last failed at this time or earlier.
    #[param(inline, value_type = Option<Moment>)]
    until: Option<Timestamp>,
    /// How many items at the most.
    #[serde(default)]
    #[param(minimum = 1, maximum = 1000, default = 100, value_type = u32, required = false)]
    limit: Limit,
    /// Where to go on: `next_cursor` of the page before.
    #[param(pattern = "^dead~[0-9]{1,15}~[0-9]{1,19}$")]
    cursor: Option<String>,
}

impl DeadLetterQuery {
    /// Whether its time fits, which is known before its event is read.
    fn wants_time(&self, letter: &DeadLetter) -> bool {
        self.since.is_none_or(|since| letter.last_failed_at >= since)
            && self.until.is_none_or(|until| letter.last_failed_at <= until)
    }

    fn wants(&self, item: &Item) -> bool {
        let of_type = self.r#type.as_ref().is_none_or(|wanted| *wanted == item.r#type);
        let text = item.reason.as_deref().unwrap_or_default();
        of_type && self.reason.as_ref().is_none_or(|part| text.contains(part.as_str()))
    }
}

/// The dead letters of a queue, newest first; a filtered page may be shorter than its limit.
#[utoipa::path(get, path = "/queues/{queue}/dead-letters", operation_id = "list_dead_letters", tag = "dead letters", params(InQueue, DeadLetterQuery),
    responses(
        (status = 200, description = "A page of dead letters", body = Page<Item>),
        (status = 404, description = "`queue-not-found`"),
    ))]
pub(super) async fn list(
    State(api): State<Api>,
    Path(path): Path<InQueue>,
    Query(query): Query<DeadLetterQuery>,
) -> Result<Json<Page<Item>>, Problem> {
    let queue = path.name()?;
    let cursor = query.cursor.as_deref();
    let mut before =
        cursor.map(|text| Timeline::DeadLetters.parse(text).ok_or_else(invalid_cursor)).transpose()?;
    let limit = query.limit.get();
    let (mut items, mut looked_at) = (Vec::new(), 0);
    loop {
        let (id, slice) = slice(&api, &queue, before).await?;
        let ended = slice.len() < AT_ONCE;
        looked_at += slice.len();
        for (place, item) in fitting(&api, id, &slice, &query).await? {
            if items.len() == limit {
                return Ok(Json(Page { items, next_cursor: before.map(cursor_of) }));
            }
            items.push(item);
            before = Some(place);
        }
        if ended {
            return Ok(Json(Page { items, next_cursor: None }));
        }
        before = slice.last().map(|letter| (letter.since, letter.sequence));
        if looked_at >= MOST_LOOKED_AT {
            return Ok(Json(Page { items, next_cursor: before.map(cursor_of) }));
        }
    }
}

fn cursor_of((at, sequence): (Timestamp, Sequence)) -> String {
    Timeline::DeadLetters.cursor(at, sequence)
}

async fn slice(
    api: &Api,
    queue: &Name,
    before: Option<(Timestamp, Sequence)>,
) -> Result<(QueueId, Vec<DeadLetter>), Problem> {
    let wanted = queue.clone();
    let seen = look_into(api, queue, move |core| {
        Some((core.queue(&wanted)?.id, core.dead_letters(&wanted, before, AT_ONCE)))
    });
    seen.await?.ok_or_else(|| crate::api::queues::not_found(queue.clone()))
}

/// Those of a slice that fit, with their places.
async fn fitting(
    api: &Api,
    queue: QueueId,
    slice: &[DeadLetter],
    query: &DeadLetterQuery,
) -> Result<Vec<((Timestamp, Sequence), Item)>, Problem> {
    let letters: Vec<&DeadLetter> = slice.iter().filter(|letter| query.wants_time(letter)).collect();
    let sequences: Vec<Sequence> = letters.iter().map(|letter| letter.sequence).collect();
    let records = api.broker.records(sequences.clone()).await?;
    let failures = api.broker.last_failures(queue, sequences).await?;
    let mut found = Vec::new();
    for ((letter, record), failure) in letters.into_iter().zip(records).zip(failures) {
        // One that was redriven or discarded since the look has no record any more.
        let Some(record) = record else { continue };
        let item = Item::of(letter, &record, failure.as_ref())?;
        if query.wants(&item) {
            found.push(((letter.since, letter.sequence), item));
        }
    }
    Ok(found)
}
