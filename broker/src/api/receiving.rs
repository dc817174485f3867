//! Receiving: messages under a lease, at once or by long poll.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use broker_core::{command::Receive, identity::Name};
use http_body::{Frame, SizeHint};
use serde::Deserialize;
use serve::{
    budget::Share,
    extract::Path,
    http::InFlight,
    problem::{OVERLOADED, Problem},
};
use tokio::sync::SemaphorePermit;
use units::Timestamp;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    given::{self, Given, Lease, Span, Text, Whole},
    json::{write_count, write_member, write_name, write_time},
    path::{InQueue, NoQuery},
    problem::UNAUTHENTICATED,
    publishing::CloudEvent,
    receipt,
};
use crate::{
    auth::Caller,
    engine::handout::{Delivery, GiveBack, Handout},
};

/// How many bytes of messages an answer has when the receive does not say.
const DEFAULT_BYTES: u64 = 16 << 20;
const END: &[u8] = b"]}";
/// What a delivery takes beside the message's attributes and data, three quarters of it: see `max_bytes`.
const DELIVERY_BYTES: u32 = 384;
/// How many bytes an answer can be asked to have: it is built in memory.
const MOST_BYTES: u64 = 1 << 30;

type Max = Whole<1, 1000>;
type Wait = Span<0, 60_000>;
type AnswerBytes = given::Bytes<1, { MOST_BYTES }>;
/// A consumer's or a receive's name.
type Label = Text<1, 256>;

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(receive))
}

/// What to receive.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiveBody {
    /// How many messages at the most; 1 when left out.
    #[serde(default)]
    #[schema(value_type = Max)]
    max: Given<Max>,
    /// How long to wait for the first one.
    #[serde(default)]
    #[schema(value_type = Wait)]
    wait: Given<Wait>,
    /// How long the lease lasts; the queue's when left out. With `auto_ack` there is none.
    #[serde(default)]
    #[schema(value_type = Lease)]
    lease: Given<Lease>,
    /// How many bytes the answer has at the most, 16 MiB when left out; one message always fits. With `auto_ack`
    /// what is escaped in texts, and the reasons of earlier failures, come on top.
    #[serde(default)]
    #[schema(value_type = AnswerBytes)]
    max_bytes: Given<AnswerBytes>,
    /// Remove as handed out: at most once, without receipts.
    #[serde(default)]
    auto_ack: bool,
    /// Who receives; shown in histories.
    #[serde(default)]
    #[schema(value_type = Label)]
    consumer: Given<Label>,
    /// Names the receive: the same value again gives those of its deliveries that are still leased, all of them,
    /// whatever `max` and `max_bytes` are then.
    #[serde(default)]
    #[schema(value_type = Label)]
    receive_id: Given<Label>,
}

impl ReceiveBody {
    /// The command, and how long to wait for the first message.
    ///
    /// # Errors
    /// `invalid-field` where its fields contradict each other.
    pub fn command(self, queue: Name) -> Result<(Receive, Duration), Problem> {
        if self.auto_ack && self.receive_id.is_some() {
            return Err(Problem::invalid("receive_id", "can't go with auto_ack: nothing would be leased"));
        }
        let receive = Receive {
            queue,
            max: self.max.map_or(1, |Whole(max)| usize::try_from(max).unwrap_or(usize::MAX)),
            lease: self.lease.map(|Span(lease)| lease),
            // Data in base64 is a third longer than it counts.
            max_bytes: (self.max_bytes.map_or(DEFAULT_BYTES, |given::Bytes(size)| size.get()) / 4 * 3).max(1),
            bytes_beside: DELIVERY_BYTES,
            auto_ack: self.auto_ack,
            consumer: self.consumer.0.map(|Text(name)| name.into()),
            receive_id: self.receive_id.0.map(|Text(id)| id.into()),
        };
        Ok((receive, self.wait.map_or(Duration::ZERO, |Span(wait)| wait)))
    }
}

/// What was handed out; empty when there was nothing until the wait was over.
#[derive(ToSchema)]
#[allow(dead_code)]
struct Deliveries {
    deliveries: Vec<DeliveryText>,
}

/// One delivery.
#[derive(ToSchema)]
#[schema(as = Delivery)]
#[allow(dead_code)]
struct DeliveryText {
    /// The proof of the lease; not with `auto_ack`.
    #[schema(nullable = false, example = "7-1043-88")]
    receipt: Option<String>,
    /// 1 at first.
    #[schema(minimum = 1)]
    delivery_count: u32,
    /// When the lease runs out; not with `auto_ack`.
    #[schema(nullable = false)]
    lease_expires_at: Option<Timestamp>,
    published_at: Timestamp,
    first_delivered_at: Timestamp,
    /// Why it last failed.
    #[schema(nullable = false)]
    last_reason: Option<String>,
    redrive_count: u32,
    /// Whether it is a replay of what its topic retained.
    replayed: bool,
    message: CloudEvent,
}

/// Receive messages under a lease.
///
/// Without `receive_id` and `auto_ack`, a connection found closed before the answer goes out gives the
/// messages back uncounted.
#[utoipa::path(post, path = "/queues/{queue}/receive", operation_id = "receive", tag = "receiving", params(InQueue),
    request_body = ReceiveBody,
    responses(
        (status = 200, description = "What was handed out; may be empty", body = Deliveries),
        (status = 404, description = "`queue-not-found`"),
        (status = 503, description = "`overloaded`: as many receives wait as may; `not-ready`"),
    ))]
async fn receive(
    State(api): State<Api>,
    Path(path): Path<InQueue>,
    _: NoQuery,
    caller: Caller,
    in_flight: InFlight,
    serve::extract::Json(body): serve::extract::Json<ReceiveBody>,
) -> Result<Response, Problem> {
    let (receive, wait) = body.command(path.name()?)?;
    let most = usize::try_from(receive.max_bytes / 3 * 4).unwrap_or(usize::MAX);
    // Dropped with the answer's head: by then it waits no more.
    let _place = if wait.is_zero() { None } else { Some(place_to_wait(&api, &in_flight)?) };
    let handout = tokio::select! {
        // What is handed out already is given.
        biased;
        handout = api.broker.receive(receive, wait) => handout?,
        () = caller.shut_out(&api.tokens), if !wait.is_zero() => return Err(shut_out_meanwhile(&caller)),
    };
    let Handout { deliveries, guard, share } = handout;
    let (bytes, written) = render(&deliveries, most);
    guard.give_back(deliveries[written..].iter().filter_map(|it| it.delivered.receipt).collect());
    let rendered = Rendered { bytes, _share: share };
    let body = HandoutBody { bytes: Some(Bytes::from_owner(rendered)), guard };
    let content_type = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(([content_type], Body::new(body)).into_response())
}

fn shut_out_meanwhile(caller: &Caller) -> Problem {
    let why =
        if caller.is_anonymous() { "the broker's first token was made" } else { "the token was revoked" };
    Problem::new(&UNAUTHENTICATED).detail(format!("{why} while this receive waited"))
}

/// A place among the receives that wait, instead of that among the requests that are worked on.
fn place_to_wait<'a>(api: &'a Api, in_flight: &InFlight) -> Result<SemaphorePermit<'a>, Problem> {
    let too_many = |_| {
        let most = api.limits.waiting_receives;
        let detail = format!("{most} receives wait already; receive without wait, or try again");
        Problem::new(&OVERLOADED).detail(detail).retry_after(Duration::from_secs(1))
    };
    let place = api.waiting.try_acquire().map_err(too_many)?;
    in_flight.release();
    Ok(place)
}

/// The answer with those deliveries, the first ones, that have room in it, at least one; how many they are. What is
/// escaped in texts, and reasons, made it longer than was foreseen. Those without a receipt can't go back, and
/// those that are given again were in an answer that had room for them.
fn render(deliveries: &[Delivery], most: usize) -> (Vec<u8>, usize) {
    let messages: usize = deliveries.iter().map(|delivery| delivery.record.len() + 384).sum();
    let mut out = Vec::with_capacity(32 + messages.min(most));
    out.extend_from_slice(b"{\"deliveries\":[");
    let mut written = 0;
    for delivery in deliveries {
        let before = out.len();
        if written > 0 {
            out.push(b',');
        }
        write_delivery(&mut out, delivery);
        let may_go_back = delivery.delivered.receipt.is_some() && !delivery.delivered.again;
        if written > 0 && out.len() + END.len() > most && may_go_back {
            out.truncate(before);
            break;
        }
        written += 1;
    }
    out.extend_from_slice(END);
    (out, written)
}

fn write_delivery(out: &mut Vec<u8>, delivery: &Delivery) {
    let told = &delivery.delivered;
    out.push(b'{');
    if let Some(receipt) = told.receipt {
        out.extend_from_slice(b"\"receipt\":\"");
        receipt::write(out, receipt);
        out.extend_from_slice(b"\",");
    }
    out.extend_from_slice(b"\"delivery_count\":");
    receipt::write_number(out, u64::from(told.delivery_count));
    if let Some(at) = told.lease_expires_at {
        write_time(out, "lease_expires_at", at);
    }
    write_time(out, "published_at", told.published_at);
    write_time(out, "first_delivered_at", told.first_delivered_at);
    if let Some(reason) = &delivery.last_reason {
        write_member(out, "last_reason", reason);
    }
    write_count(out, "redrive_count", u64::from(told.redrive_count));
    let replayed: &[u8] =
        if delivery.delivered.replayed { b",\"replayed\":true" } else { b",\"replayed\":false" };
    out.extend_from_slice(replayed);
    write_name(out, "message");
    out.extend_from_slice(&delivery.record);
    out.push(b'}');
}

/// The answer's bytes, counted until the last of them is written: the body is gone before that.
struct Rendered {
    bytes: Vec<u8>,
    _share: Share,
}

impl AsRef<[u8]> for Rendered {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The answer's body. The server asks for it once it has found the connection open; until then, dropping
/// it gives the messages back.
struct HandoutBody {
    bytes: Option<Bytes>,
    guard: GiveBack,
}

impl http_body::Body for HandoutBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.guard.keep();
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
