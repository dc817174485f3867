//! Publishing: to a queue or a topic, in the three forms of body that the CloudEvents HTTP binding has.

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use broker_core::{
    command::{Command, Destination, NewMessage, Publish},
    filter::Attributes,
    reply::{Published, Reply},
};
use serde_json::value::RawValue;
use serve::{
    extract::{Body, Path},
    problem::{BODY_TOO_LARGE, MALFORMED_JSON, Problem},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    json::{answer, write_count, write_text},
    path::{InQueue, InTopic, NoQuery},
    queues::unexpected,
};

mod attributes;
mod batch;
mod binary;
mod draft;
mod fault;
mod field;
mod options;
mod schema;
mod structured;
mod trace;

use draft::Draft;
use options::Options;
pub(super) use schema::CloudEvent;
use schema::{BatchResult, PublishHeaders, PublishResult};

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(to_queue)).routes(routes!(to_topic))
}

/// Publish to one queue.
///
/// Binary mode (any other Content-Type): the body is the data, attributes come as `ce-*` headers.
/// Structured mode: one event. Batch: an array of events, stored all or none, in order.
#[utoipa::path(post, path = "/queues/{queue}/messages", operation_id = "publish_to_queue", tag = "publishing", params(InQueue, PublishHeaders),
    request_body(content(
        (String = "text/plain"),
        (CloudEvent = "application/cloudevents+json"),
        (Vec<CloudEvent> = "application/cloudevents-batch+json"),
    ), description = "One message's data, one event, or a batch of events"),
    responses(
        (status = 201, description = "Stored; `results` of a batch", body = PublishAnswer),
        (status = 200, description = "A duplicate; nothing was stored", body = PublishResult),
        (status = 404, description = "`queue-not-found`"),
        (status = 409, description = "`id-reused` or `no-route`"),
        (status = 429, description = "`queue-full`"),
        (status = 507, description = "`storage-full`"),
    ))]
async fn to_queue(
    State(api): State<Api>,
    Path(path): Path<InQueue>,
    _: NoQuery,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response, Problem> {
    publish(&api, Destination::Queue(path.name()?), &headers, &body).await
}

/// Publish to every queue subscribed to a topic.
///
/// The forms of body are those of publishing to a queue.
#[utoipa::path(post, path = "/topics/{topic}/messages", operation_id = "publish_to_topic", tag = "publishing", params(InTopic, PublishHeaders),
    request_body(content(
        (String = "text/plain"),
        (CloudEvent = "application/cloudevents+json"),
        (Vec<CloudEvent> = "application/cloudevents-batch+json"),
    ), description = "One message's data, one event, or a batch of events"),
    responses(
        (status = 201, description = "Stored; `results` of a batch", body = PublishAnswer),
        (status = 200, description = "A duplicate; nothing was stored", body = PublishResult),
        (status = 404, description = "`topic-not-found`"),
        (status = 409, description = "`id-reused` or `no-route`"),
        (status = 429, description = "`queue-full`"),
        (status = 507, description = "`storage-full`"),
    ))]
async fn to_topic(
    State(api): State<Api>,
    Path(path): Path<InTopic>,
    _: NoQuery,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response, Problem> {
    publish(&api, Destination::Topic(path.name()?), &headers, &body).await
}

/// The answer to a publish of one message, or to a batch.
#[derive(serde::Serialize, utoipa::ToSchema)]
#[serde(untagged)]
#[allow(dead_code)]
enum PublishAnswer {
    /// Of one message.
    One(PublishResult),
    /// Of a batch, in order.
    Batch(BatchResult),
}

/// The attributes of an event that stands in a field, checked as it would be when it is published.
pub(super) fn attributes_of(event: &RawValue, field: &str) -> Result<Attributes, Problem> {
    let draft = structured::event(event).map_err(|fault| fault.within(field))?;
    Ok(draft.attributes())
}

/// The three forms of body.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Binary,
    Structured,
    Batch,
}

impl Mode {
    fn of(headers: &HeaderMap) -> Self {
        let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        let essence = content_type.unwrap_or_default().split(|byte| *byte == b';').next().unwrap_or_default();
        let essence = essence.trim_ascii();
        if essence.eq_ignore_ascii_case(b"application/cloudevents+json") {
            Self::Structured
        } else if essence.eq_ignore_ascii_case(b"application/cloudevents-batch+json") {
            Self::Batch
        } else {
            Self::Binary
        }
    }
}

async fn publish(
    api: &Api,
    destination: Destination,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Response, Problem> {
    let (publish, ids) = parse(destination, headers, body, api.limits.message)?;
    match api.broker.send(Command::Publish(publish)).await? {
        Reply::Published(results) => Ok(render(Mode::of(headers), &ids, &results)),
        other => Err(unexpected(&other)),
    }
}

/// Reads what a request publishes, in the mode that its Content-Type says: the command, and the messages'
/// ids in their order. A message's data has at most `limit` bytes, and so have its attributes.
///
/// # Errors
/// `malformed-json`, `body-too-large`, or `invalid-field` with the header or the event's member at fault.
pub fn parse(
    destination: Destination,
    headers: &HeaderMap,
    body: &Bytes,
    limit: usize,
) -> Result<(Publish, Vec<String>), Problem> {
    let mode = Mode::of(headers);
    let options = Options::read(headers, mode == Mode::Batch)?;
    let drafts = read(mode, &destination, headers, body, limit)?;
    let to_topic = matches!(destination, Destination::Topic(_));
    let (ids, messages): (Vec<String>, Vec<NewMessage>) =
        drafts.into_iter().map(|draft| draft.finish(&options, to_topic)).unzip();
    Ok((Publish { destination, messages, require_route: options.require_route }, ids))
}

fn read<'a>(
    mode: Mode,
    destination: &Destination,
    headers: &'a HeaderMap,
    body: &'a Bytes,
    limit: usize,
) -> Result<Vec<Draft<'a>>, Problem> {
    if mode != Mode::Binary {
        binary::check(headers)?;
    }
    match mode {
        Mode::Batch => batch::read(text(body)?, limit),
        Mode::Binary if body.len() > limit => Err(too_large(limit)),
        Mode::Binary => Ok(vec![binary::read(destination, headers, body)?]),
        Mode::Structured => Ok(vec![structured::read(text(body)?, limit)?]),
    }
}

/// The problem of a message over the limit.
fn too_large(limit: usize) -> Problem {
    Problem::new(&BODY_TOO_LARGE)
        .detail(format!("a message has at most {limit} bytes of data here, and as many of attributes"))
}

/// The body as the text that JSON is.
fn text(body: &Bytes) -> Result<&str, Problem> {
    std::str::from_utf8(body)
        .map_err(|error| Problem::new(&MALFORMED_JSON).detail(format!("the body is not UTF-8: {error}")))
}

fn render(mode: Mode, ids: &[String], results: &[Published]) -> Response {
    let mut out = Vec::with_capacity(32 + 96 * results.len());
    if mode == Mode::Batch {
        out.extend_from_slice(b"{\"results\":[");
    }
    for (place, (id, result)) in ids.iter().zip(results).enumerate() {
        if place > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"id\":");
        write_text(&mut out, id);
        let duplicate: &[u8] =
            if result.duplicate { b",\"duplicate\":true" } else { b",\"duplicate\":false" };
        out.extend_from_slice(duplicate);
        write_count(&mut out, "queues", u64::from(result.queues));
        out.push(b'}');
    }
    if mode == Mode::Batch {
        out.extend_from_slice(b"]}");
    }
    let repeated = mode != Mode::Batch && results.first().is_some_and(|result| result.duplicate);
    answer(if repeated { StatusCode::OK } else { StatusCode::CREATED }, out)
}
