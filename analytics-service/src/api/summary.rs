//! `GET /summary`: what was counted, and how far it may be off.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use axum::{Json, extract::State};
use serve::{
    extract::NoQuery,
    problem::{Problem, ProblemBody},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{dropped::Dropped, store::Store, summary::Summary};

/// Where the summary comes from.
#[derive(Clone)]
pub struct Source {
    /// The counts.
    pub store: Store,
    /// How many events are handed out and not counted yet.
    pub in_hand: Arc<AtomicI64>,
    /// How many events the broker left out when the queue was full.
    pub dropped: Dropped,
}

/// The route.
pub fn router() -> OpenApiRouter<Source> {
    OpenApiRouter::new().routes(routes!(summary))
}

/// What was counted since ever, at most once, and how far it may be off.
#[utoipa::path(get, path = "/summary", tag = "summary", responses(
    (status = 200, description = "The counts", body = Summary),
    (status = 422, description = "`invalid-field`", body = ProblemBody, content_type = "application/problem+json"),
    (status = 500, description = "`internal`", body = ProblemBody, content_type = "application/problem+json"),
))]
async fn summary(State(source): State<Source>, _: NoQuery) -> Result<Json<Summary>, Problem> {
    let dropped = source.dropped.ask().await;
    summarize(&source, dropped).await.map(Json).map_err(|error| Problem::internal(&error))
}

async fn summarize(source: &Source, dropped: i64) -> Result<Summary, sqlx::Error> {
    // Read before the counts: what is counted in between is then in both, never in neither.
    let in_hand = source.in_hand.load(Ordering::Relaxed);
    let elsewhere = source.store.in_other_hands().await?;
    let (counts, minutes) = (source.store.counts().await?, source.store.minutes().await?);
    Ok(counts.summary(minutes, in_hand + elsewhere + dropped))
}
