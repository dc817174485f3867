//! The groups of a queue's dead letters: what failed alike, counted.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use serve::{
    extract::{Path, Query},
    page::{Limit, Page, invalid_cursor},
    problem::Problem,
};
use units::Timestamp;
use utoipa::{IntoParams, ToSchema};

use super::{
    fold::fold,
    item::Item,
    selection::{Selection, each},
};
use crate::api::{Api, cursor::Numbered, path::InQueue};

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct GroupsQuery {
    /// How many items at the most.
    #[serde(default)]
    #[param(minimum = 1, maximum = 1000, default = 100, value_type = u32, required = false)]
    limit: Limit,
    /// Where to go on: `next_cursor` of the page before.
    #[param(pattern = "^groups~(?:0|[1-9][0-9]{0,8})$")]
    cursor: Option<String>,
}

/// Dead letters of one type that failed alike.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = DeadLetterGroup)]
pub(super) struct Group {
    /// The type of their events.
    r#type: String,
    /// Their last reason, with `#` for numbers, `<id>` for ids and `<address>` for addresses; null where
    /// nobody said.
    reason: Option<String>,
    count: u64,
    /// When the first of them last failed.
    first_seen: Timestamp,
    /// When the last of them did.
    last_seen: Timestamp,
    /// The id of the newest of them.
    sample_id: String,
}

impl Group {
    /// Takes in one more, which failed no later than those before.
    fn add(&mut self, item: &Item) {
        self.count += 1;
        self.first_seen = self.first_seen.min(item.last_failed_at);
        self.last_seen = self.last_seen.max(item.last_failed_at);
    }
}

/// The dead letters of a queue in groups of type and reason, the largest first.
#[utoipa::path(get, path = "/queues/{queue}/dead-letters/groups", operation_id = "group_dead_letters", tag = "dead letters", params(InQueue, GroupsQuery),
    responses(
        (status = 200, description = "A page of groups", body = Page<Group>),
        (status = 404, description = "`queue-not-found`"),
    ))]
pub(super) async fn groups(
    State(api): State<Api>,
    Path(path): Path<InQueue>,
    Query(query): Query<GroupsQuery>,
) -> Result<Json<Page<Group>>, Problem> {
    let start = query.cursor.as_deref().map(|text| place(text).ok_or_else(invalid_cursor)).transpose()?;
    let mut by_kind: BTreeMap<(String, Option<String>), Group> = BTreeMap::new();
    each(&api, &path.name()?, &Selection::default(), |_, item| {
        let reason = item.reason.as_deref().map(fold);
        let key = (item.r#type.clone(), reason.clone());
        let new = || Group {
            r#type: item.r#type.clone(),
            reason,
            count: 0,
            first_seen: item.last_failed_at,
            last_seen: item.last_failed_at,
            sample_id: item.id.clone(),
        };
        by_kind.entry(key).or_insert_with(new).add(&item);
    })
    .await?;
    let mut groups: Vec<Group> = by_kind.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    Ok(Json(page(&groups, start.unwrap_or_default(), query.limit.get())))
}

fn place(cursor: &str) -> Option<usize> {
    usize::try_from(Numbered::Groups.parse(cursor)?).ok()
}

fn page(groups: &[Group], start: usize, limit: usize) -> Page<Group> {
    let rest = groups.get(start..).unwrap_or_default();
    let next_cursor = (rest.len() > limit).then(|| Numbered::Groups.cursor((start + limit) as u64));
    Page { items: rest.iter().take(limit).cloned().collect(), next_cursor }
}
