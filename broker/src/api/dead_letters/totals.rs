//! How many dead letters each queue has.

use axum::{Json, extract::State};
use serde::Serialize;
use serve::{
    extract::Query,
    page::{Page, PageQuery, invalid_cursor},
    problem::Problem,
};
use utoipa::ToSchema;

use crate::api::{Api, cursor};

/// A queue's dead letters.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeadTotal {
    queue: String,
    dead: u64,
}

/// How many dead letters each queue has, by the queues' names.
#[utoipa::path(get, path = "/dead-letters", tag = "dead letters", params(PageQuery), responses(
    (status = 200, description = "A page of queues", body = Page<DeadTotal>),
))]
pub(super) async fn totals(
    State(api): State<Api>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<DeadTotal>>, Problem> {
    let after =
        page.cursor.as_deref().map(|text| cursor::name(text).ok_or_else(invalid_cursor)).transpose()?;
    let limit = page.limit.get();
    let page = api.broker.look(move |core, _| {
        let views = core.queues(after.as_ref(), limit + 1);
        let next_cursor = (views.len() > limit).then(|| cursor::of_name(views[limit - 1].name));
        let total = |view: &broker_core::view::QueueView<'_>| DeadTotal {
            queue: view.name.to_string(),
            dead: view.gauges.dead,
        };
        Page { items: views.iter().take(limit).map(total).collect(), next_cursor }
    });
    Ok(Json(page.await?))
}
