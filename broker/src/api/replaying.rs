//! What a topic retains: reading it, and putting it into a subscribed queue again.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use broker_core::{
    choice::Chosen,
    command::{Command, Span},
    identity::Sequence,
    reply::{Refusal, Reply},
    view::Retained,
};
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
    given::{Given, Moment, Since},
    json::{answer, end_page, write_message},
    path::{InTopic, InTopicByQueue, NoQuery},
    publishing::CloudEvent,
    queues::unexpected,
};
use crate::{auth::Caller, engine::note::Note, error::BrokerError, store::Found};

/// How many stored events are read at a time.
const READ_AT_ONCE: usize = 32;
/// From how many bytes on a page ends early.
const PAGE_BYTES: usize = 16 << 20;
const START: &[u8] = b"{\"items\":[";

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(replay)).routes(routes!(read))
}

/// Which retained messages to put into the queue again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayBody {
    /// `earliest`, or from which time of publishing on.
    #[schema(value_type = Since)]
    from: Since,
    /// Until which time of publishing; before `from` it names nothing.
    #[serde(default)]
    #[schema(value_type = Moment)]
    to: Given<Timestamp>,
}

impl ReplayBody {
    /// The stretch of time that it names.
    #[must_use]
    pub fn span(&self) -> Span {
        Span { from: self.from.0, to: *self.to }
    }
}

/// What was replayed.
#[derive(Debug, Serialize, ToSchema)]
struct Replayed {
    /// How many messages the queue got again.
    replayed: u64,
}

/// Put retained messages into a subscribed queue again, all or none, each in its place in publish order.
///
/// What the subscription's filter passes over is left out, and so is what is in the queue already, ready,
/// leased, delayed or dead, and what is over by a TTL of its own.
#[utoipa::path(post, path = "/topics/{topic}/subscriptions/{queue}/replay", operation_id = "replay", tag = "topics", params(InTopicByQueue),
    request_body = ReplayBody,
    responses(
        (status = 200, description = "What was replayed", body = Replayed),
        (status = 404, description = "`topic-not-found`, `queue-not-found` or `subscription-not-found`"),
        (status = 413, description = "`body-too-large`: it can never fit into the queue"),
        (status = 429, description = "`queue-full`: it does not fit; nothing was replayed"),
        (status = 507, description = "`storage-full`"),
    ))]
async fn replay(
    State(api): State<Api>,
    caller: Caller,
    Path(path): Path<InTopicByQueue>,
    _: NoQuery,
    serve::extract::Json(body): serve::extract::Json<ReplayBody>,
) -> Result<Json<Replayed>, Problem> {
    let (topic, queue) = path.names()?;
    let span = body.span();
    let request = serde_json::json!({
        "from": span.from.map_or_else(|| "earliest".to_owned(), |from| from.to_string()),
        "to": span.to.map(|to| to.to_string()),
    });
    let note = Note::new(caller.name(), "replay").topic(&topic).queue(&queue).request(&request);
    let replay = Command::Replay { topic, queue, span, chosen: Chosen::All };
    match api.broker.send_by_hand(replay, note).await? {
        Reply::Replayed { count } => Ok(Json(Replayed { replayed: count })),
        other => Err(unexpected(&other)),
    }
}

/// Which retained messages to show.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RetainedQuery {
    /// `earliest`, or from which time of publishing on.
    #[param(inline, value_type = Option<Since>)]
    from: Option<Since>,
    /// How many items at the most.
    #[serde(default)]
    #[param(minimum = 1, maximum = 1000, default = 100, value_type = u32, required = false)]
    limit: Limit,
    /// Where to go on: `next_cursor` of the page before.
    #[param(pattern = "^retained~(?:0|[1-9][0-9]{0,13})~(?:0|[1-9][0-9]{0,18})$")]
    cursor: Option<String>,
}

/// A page of retained messages.
#[derive(ToSchema)]
#[allow(dead_code)]
struct RetainedPage {
    items: Vec<RetainedText>,
    /// Where the next page starts; absent on the last one.
    #[schema(nullable = false)]
    next_cursor: Option<String>,
}

/// A message that a topic retains.
#[derive(ToSchema)]
#[schema(as = RetainedMessage)]
#[allow(dead_code)]
struct RetainedText {
    published_at: Timestamp,
    /// Null when it is damaged.
    #[schema(required = true)]
    message: Option<CloudEvent>,
    /// Whether it is not as it was stored, by its checksum. A replay will not deliver it.
    #[schema(nullable = false)]
    damaged: Option<bool>,
}

/// Read what a topic retains, oldest first, without consuming it; a page may be shorter than its limit.
#[utoipa::path(get, path = "/topics/{topic}/messages", operation_id = "read_topic", tag = "topics", params(InTopic, RetainedQuery), responses(
    (status = 200, description = "A page of messages", body = RetainedPage),
    (status = 404, description = "`topic-not-found`"),
))]
async fn read(
    State(api): State<Api>,
    Path(path): Path<InTopic>,
    Query(query): Query<RetainedQuery>,
) -> Result<Response, Problem> {
    let topic = path.name()?;
    let after = query.cursor.as_deref().map(place).transpose()?;
    let span = Span { from: query.from.and_then(|Since(from)| from), to: None };
    let (limit, wanted) = (query.limit.get(), topic.clone());
    let found = api
        .broker
        .look(move |core, _| core.topic(&wanted).map(|_| core.retained(&wanted, span, after, limit + 1)));
    let found = found.await?.ok_or_else(|| BrokerError::from(Refusal::TopicNotFound(topic)))?;
    Ok(answer(StatusCode::OK, page(&api, &found, limit).await?))
}

fn place(cursor: &str) -> Result<Retained, Problem> {
    let (published_at, sequence) = Timeline::Retained.parse(cursor).ok_or_else(invalid_cursor)?;
    Ok(Retained { published_at, sequence })
}

async fn page(api: &Api, found: &[Retained], limit: usize) -> Result<Vec<u8>, Problem> {
    let mut out = START.to_vec();
    let mut shown = 0;
    for slice in found[..found.len().min(limit)].chunks(READ_AT_ONCE) {
        let sequences: Vec<Sequence> = slice.iter().map(|it| it.sequence).collect();
        for (retained, record) in slice.iter().zip(api.broker.records(sequences).await?) {
            // One that was let go of since the look has no record any more.
            if let Some(record) = record {
                write(&mut out, *retained, &record);
            }
        }
        shown += slice.len();
        if out.len() > PAGE_BYTES {
            break;
        }
    }
    let last = found[..shown].last().filter(|_| shown < found.len());
    let next = last.map(|it| Timeline::Retained.cursor(it.published_at, it.sequence));
    end_page(&mut out, next.as_deref());
    Ok(out)
}

fn write(out: &mut Vec<u8>, retained: Retained, record: &Found) {
    if out.len() > START.len() {
        out.push(b',');
    }
    out.extend_from_slice(b"{\"published_at\":\"");
    out.extend_from_slice(retained.published_at.to_string().as_bytes());
    out.push(b'"');
    write_message(out, record);
    out.push(b'}');
}
