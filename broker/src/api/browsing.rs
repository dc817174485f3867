//! Browsing: what waits in a queue, without leasing it.

use axum::{extract::State, http::StatusCode, response::Response};
use broker_core::view::{Browsed, Position, WaitingState};
use serde::{Deserialize, Serialize};
use serve::{
    extract::{Path, Query},
    page::{Limit, invalid_cursor},
    problem::Problem,
};
use units::Timestamp;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    cursor::Timeline,
    json::{answer, end_page, write_count, write_message, write_text, write_time},
    path::InQueue,
    publishing::CloudEvent,
    queues::look_into,
};
use crate::store::Found;

/// How many stored events are read at a time.
const READ_AT_ONCE: usize = 32;
/// From how many bytes on a page ends early.
const PAGE_BYTES: usize = 16 << 20;
const START: &[u8] = b"{\"items\":[";

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(browse))
}

/// Which messages to show.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct BrowseQuery {
    /// Only those in this state.
    #[param(inline)]
    state: Option<StateText>,
    /// How many items at the most.
    #[serde(default)]
    #[param(minimum = 1, maximum = 1000, default = 100, value_type = u32, required = false)]
    limit: Limit,
    /// Where to go on: `next_cursor` of the page before.
    #[param(pattern = "^waiting~(?:0|[1-9][0-9]{0,13})~(?:0|[1-9][0-9]{0,18})$")]
    cursor: Option<String>,
}

/// The states of a message that is not dead.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = MessageState)]
enum StateText {
    Ready,
    Leased,
    Delayed,
}

impl From<StateText> for WaitingState {
    fn from(state: StateText) -> Self {
        match state {
            StateText::Ready => Self::Ready,
            StateText::Leased => Self::Leased,
            StateText::Delayed => Self::Delayed,
        }
    }
}

/// A page of messages.
#[derive(ToSchema)]
#[allow(dead_code)]
struct BrowsedPage {
    items: Vec<BrowsedText>,
    /// Where the next page starts; absent on the last one.
    #[schema(nullable = false)]
    next_cursor: Option<String>,
}

/// A message that is not dead.
#[derive(ToSchema)]
#[schema(as = BrowsedMessage)]
#[allow(dead_code)]
struct BrowsedText {
    state: StateText,
    published_at: Timestamp,
    /// When it is ready; of a delayed one.
    #[schema(nullable = false)]
    available_at: Option<Timestamp>,
    delivery_count: u32,
    /// Null when it is damaged.
    #[schema(required = true)]
    message: Option<CloudEvent>,
    /// Whether it is not as it was stored, by its checksum. It will not be delivered, but become a dead letter.
    #[schema(nullable = false)]
    damaged: Option<bool>,
}

/// Browse what is ready, leased or delayed, without leasing it; a page may be shorter than its limit.
#[utoipa::path(get, path = "/queues/{queue}/messages", operation_id = "browse_queue", tag = "receiving", params(InQueue, BrowseQuery), responses(
    (status = 200, description = "A page of messages, in the queue's order", body = BrowsedPage),
    (status = 404, description = "`queue-not-found`"),
))]
async fn browse(
    State(api): State<Api>,
    Path(path): Path<InQueue>,
    Query(query): Query<BrowseQuery>,
) -> Result<Response, Problem> {
    let queue = path.name()?;
    let after = query.cursor.as_deref().map(position).transpose()?;
    let (state, limit, wanted) = (query.state.map(Into::into), query.limit.get(), queue.clone());
    let found = look_into(&api, &queue, move |core| core.browse(&wanted, state, after, limit + 1)).await?;
    Ok(answer(StatusCode::OK, page(&api, &found, limit).await?))
}

fn position(cursor: &str) -> Result<Position, Problem> {
    let (at, sequence) = Timeline::Waiting.parse(cursor).ok_or_else(invalid_cursor)?;
    Ok(Position { at, sequence })
}

async fn page(api: &Api, found: &[Browsed], limit: usize) -> Result<Vec<u8>, Problem> {
    let mut out = START.to_vec();
    let mut shown = 0;
    for slice in found[..found.len().min(limit)].chunks(READ_AT_ONCE) {
        let records = api.broker.records(slice.iter().map(|browsed| browsed.sequence).collect()).await?;
        for (browsed, record) in slice.iter().zip(records) {
            // One that was consumed since the look has no record any more.
            if let Some(record) = record {
                if out.len() > START.len() {
                    out.push(b',');
                }
                write_browsed(&mut out, browsed, &record);
            }
        }
        shown += slice.len();
        if out.len() > PAGE_BYTES {
            break;
        }
    }
    let last = found[..shown].last().filter(|_| shown < found.len());
    let next = last.map(|browsed| Timeline::Waiting.cursor(browsed.position.at, browsed.position.sequence));
    end_page(&mut out, next.as_deref());
    Ok(out)
}

fn write_browsed(out: &mut Vec<u8>, browsed: &Browsed, record: &Found) {
    out.extend_from_slice(b"{\"state\":");
    write_text(out, state_text(browsed.state));
    write_time(out, "published_at", browsed.published_at);
    if let Some(at) = browsed.available_at {
        write_time(out, "available_at", at);
    }
    write_count(out, "delivery_count", u64::from(browsed.delivery_count));
    write_message(out, record);
    out.push(b'}');
}

const fn state_text(state: WaitingState) -> &'static str {
    match state {
        WaitingState::Ready => "ready",
        WaitingState::Leased => "leased",
        WaitingState::Delayed => "delayed",
    }
}
