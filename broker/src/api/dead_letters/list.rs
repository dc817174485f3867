//! The list of a queue's dead letters, newest first, narrowed by type, reason and time.

use axum::{Json, extract::State};
use serde::Deserialize;
use serve::{
    extract::{Path, Query},
    page::{Limit, Page, invalid_cursor},
    problem::Problem,
};
use units::Timestamp;
use utoipa::IntoParams;

use super::{
    item::Item,
    selection::{Place, Selection, Slice},
};
use crate::api::{Api, cursor::Timeline, given::Moment, path::InQueue};

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
    #[param(pattern = "^dead~(?:0|[1-9][0-9]{0,13})~(?:0|[1-9][0-9]{0,18})$")]
    cursor: Option<String>,
}

impl DeadLetterQuery {
    fn selection(&self) -> Selection {
        let Self { r#type, reason, since, until, .. } = self;
        Selection { kind: r#type.clone(), source: None, reason: reason.clone(), since: *since, until: *until }
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
    let (limit, wanted) = (query.limit.get(), query.selection());
    let (mut items, mut looked_at) = (Vec::new(), 0);
    loop {
        let slice = Slice::before(&api, &queue, before).await?;
        looked_at += slice.len();
        for (place, item) in slice.fitting(&api, &wanted).await? {
            if items.len() == limit {
                return Ok(Json(Page { items, next_cursor: before.map(cursor_of) }));
            }
            items.push(item);
            before = Some(place);
        }
        before = slice.next();
        if before.is_none() || looked_at >= MOST_LOOKED_AT {
            return Ok(Json(Page { items, next_cursor: before.map(cursor_of) }));
        }
    }
}

fn cursor_of((at, sequence): Place) -> String {
    Timeline::DeadLetters.cursor(at, sequence)
}
