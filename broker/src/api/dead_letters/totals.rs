//! How many dead letters each queue has.

use axum::{Json, extract::State};
use broker_core::view::QueueView;
use serde::Serialize;
use serve::{extract::Query, page::Page, problem::Problem};
use utoipa::ToSchema;

use crate::{
    api::{
        Api,
        page::{self, ByName},
    },
    auth::{Caller, grant::Role},
};

/// A queue's dead letters.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeadTotal {
    queue: String,
    dead: u64,
}

/// How many dead letters each queue has, by the queues' names; of those that the token may consume from.
#[utoipa::path(get, path = "/dead-letters", operation_id = "count_dead_letters", tag = "dead letters", params(ByName), responses(
    (status = 200, description = "A page of queues", body = Page<DeadTotal>),
))]
pub(super) async fn totals(
    State(api): State<Api>,
    caller: Caller,
    Query(page): Query<ByName>,
) -> Result<Json<Page<DeadTotal>>, Problem> {
    let (after, wanted) = (page.after()?, page.wanted());
    let page = api.broker.look(move |core, _| {
        let total = |view: &QueueView<'_>| DeadTotal { queue: view.name.to_string(), dead: view.gauges.dead };
        let seen = core.queues(after.as_ref()).filter(|view| caller.may(Role::Consume, view.name.as_str()));
        page::of(seen, wanted, |view| view.name, total)
    });
    Ok(Json(page.await?))
}
