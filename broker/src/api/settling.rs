//! Settling: ack, nack, extend.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use broker_core::{
    command::{Command, Nack, NackKind},
    identity::{Name, Receipt},
    reply::{Reply, SettleStatus, Settled},
};
use serde::{Deserialize, Deserializer, Serialize};
use serve::{extract::Path, problem::Problem};
use units::Timestamp;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ArrayBuilder, ObjectBuilder, RefOr, Schema, schema::Type},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    given::{Given, Lease, Pause, Span},
    json::{answer, write_member, write_time},
    path::{InQueue, NoQuery},
    queues::unexpected,
    receipt,
};

/// How many receipts one call may settle.
const MOST_RECEIPTS: usize = 1000;
/// How many bytes of a reason are kept.
const REASON_BYTES: usize = 4096;

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(ack)).routes(routes!(nack)).routes(routes!(extend))
}

/// A receipt out of a request.
#[derive(Debug)]
struct ReceiptText(Receipt);

impl<'de> Deserialize<'de> for ReceiptText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Parse;
        impl serde::de::Visitor<'_> for Parse {
            type Value = ReceiptText;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a receipt")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<ReceiptText, E> {
                let receipt = receipt::parse(text).ok_or_else(|| E::custom("is not a receipt"))?;
                Ok(ReceiptText(receipt))
            }
        }
        deserializer.deserialize_str(Parse)
    }
}

/// The receipts of one call.
#[derive(Debug, Deserialize)]
struct Receipts(Vec<ReceiptText>);

impl Receipts {
    fn checked(self) -> Result<Vec<Receipt>, Problem> {
        if (1..=MOST_RECEIPTS).contains(&self.0.len()) {
            Ok(self.0.into_iter().map(|ReceiptText(receipt)| receipt).collect())
        } else {
            Err(Problem::invalid("receipts", format!("has 1 to {MOST_RECEIPTS} receipts")))
        }
    }
}

impl PartialSchema for Receipts {
    fn schema() -> RefOr<Schema> {
        let receipt = ObjectBuilder::new()
            .schema_type(Type::String)
            .examples(["7-1043-88"])
            .pattern(Some("^(?:0|[1-9][0-9]{0,8})-(?:0|[1-9][0-9]{0,18})-(?:0|[1-9][0-9]{0,18})$"));
        ArrayBuilder::new().items(receipt).min_items(Some(1)).max_items(Some(MOST_RECEIPTS)).build().into()
    }
}

impl ToSchema for Receipts {}

/// What to ack.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AckBody {
    /// Of the deliveries that are done.
    receipts: Receipts,
}

impl AckBody {
    /// The command that it asks for.
    ///
    /// # Errors
    /// `invalid-field` where it has no receipts, or too many.
    pub fn command(self, queue: Name) -> Result<Command, Problem> {
        Ok(Command::Ack { queue, receipts: self.receipts.checked()? })
    }
}

/// What to nack.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NackBody {
    /// Of the deliveries that failed.
    receipts: Receipts,
    /// How long until they are ready again; the queue's backoff when left out. Not with `dead_letter`.
    #[serde(default)]
    #[schema(value_type = Pause)]
    delay: Given<Pause>,
    /// Why; the first 4 KiB are kept in the history. Of an uncounted one only the journey tells it.
    #[serde(default)]
    #[schema(value_type = String, required = false)]
    reason: Given<String>,
    /// A permanent fault: dead letters at once.
    #[serde(default)]
    dead_letter: bool,
    /// False hands them back in their places, the delivery not counted.
    #[serde(default = "counted")]
    #[schema(default = true)]
    count: bool,
}

const fn counted() -> bool {
    true
}

impl NackBody {
    /// The command that it asks for.
    ///
    /// # Errors
    /// `invalid-field` where it has no receipts, or too many, or its fields contradict each other.
    pub fn command(self, queue: Name) -> Result<Command, Problem> {
        let kind = match (self.dead_letter, self.count) {
            (true, false) => return Err(Problem::invalid("count", "a dead letter's delivery always counts")),
            (true, true) if self.delay.0.is_some() => {
                return Err(Problem::invalid("delay", "a dead letter waits for nothing; leave it out"));
            }
            (true, true) => NackKind::DeadLetter,
            (false, true) => NackKind::Failed,
            (false, false) => NackKind::Uncounted,
        };
        Ok(Command::Nack(Nack {
            queue,
            receipts: self.receipts.checked()?,
            delay: self.delay.map(|Span(delay)| delay),
            reason: self.reason.0.as_deref().map(shortened),
            kind,
        }))
    }
}

/// The beginning of a reason, to the last whole character that fits.
fn shortened(reason: &str) -> Arc<str> {
    Arc::from(&reason[..reason.floor_char_boundary(REASON_BYTES)])
}

/// What to extend.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtendBody {
    /// Of the deliveries that are still worked on.
    receipts: Receipts,
    /// How long from now.
    lease: Lease,
}

impl ExtendBody {
    /// The command that it asks for.
    ///
    /// # Errors
    /// `invalid-field` where it has no receipts, or too many.
    pub fn command(self, queue: Name) -> Result<Command, Problem> {
        let Span(lease) = self.lease;
        Ok(Command::Extend { queue, receipts: self.receipts.checked()?, lease })
    }
}

/// The results, in the order of the receipts.
#[derive(Serialize, ToSchema)]
struct Results {
    results: Vec<SettleResult>,
}

/// How settling one receipt went.
#[derive(Serialize, ToSchema)]
struct SettleResult {
    receipt: String,
    status: StatusText,
    /// When the lease runs out now; only of an extend that is done.
    #[schema(nullable = false)]
    lease_expires_at: Option<Timestamp>,
}

/// `done`; `already-settled`: the message is gone, whoever ended it; `lease-lost`: it still exists, but
/// not under this receipt, and nothing was changed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = SettleStatus)]
#[allow(dead_code)]
enum StatusText {
    Done,
    AlreadySettled,
    LeaseLost,
}

/// Settle deliveries as done.
#[utoipa::path(post, path = "/queues/{queue}/ack", operation_id = "ack", tag = "settling", params(InQueue), request_body = AckBody, responses(
    (status = 200, description = "The result of each receipt", body = Results),
    (status = 404, description = "`queue-not-found`"),
))]
async fn ack(
    State(api): State<Api>,
    Path(path): Path<InQueue>,
    _: NoQuery,
    serve::extract::Json(body): serve::extract::Json<AckBody>,
) -> Result<Response, Problem> {
    settle(&api, body.command(path.name()?)?).await
}

/// End deliveries as failed, or hand them back uncounted.
///
/// One under the receipt whose lease a nack ended is `done` again and changes nothing, whatever it asks for.
#[utoipa::path(post, path = "/queues/{queue}/nack", operation_id = "nack", tag = "settling", params(InQueue), request_body = NackBody, responses(
    (status = 200, description = "The result of each receipt", body = Results),
    (status = 404, description = "`queue-not-found`"),
))]
async fn nack(
    State(api): State<Api>,
    Path(path): Path<InQueue>,
    _: NoQuery,
    serve::extract::Json(body): serve::extract::Json<NackBody>,
) -> Result<Response, Problem> {
    settle(&api, body.command(path.name()?)?).await
}

/// Let leases run on.
#[utoipa::path(post, path = "/queues/{queue}/extend", operation_id = "extend", tag = "settling", params(InQueue), request_body = ExtendBody, responses(
    (status = 200, description = "The result of each receipt", body = Results),
    (status = 404, description = "`queue-not-found`"),
))]
async fn extend(
    State(api): State<Api>,
    Path(path): Path<InQueue>,
    _: NoQuery,
    serve::extract::Json(body): serve::extract::Json<ExtendBody>,
) -> Result<Response, Problem> {
    settle(&api, body.command(path.name()?)?).await
}

async fn settle(api: &Api, command: Command) -> Result<Response, Problem> {
    match api.broker.send(command).await? {
        Reply::Settled(results) => Ok(answer(StatusCode::OK, render(&results))),
        other => Err(unexpected(&other)),
    }
}

fn render(results: &[Settled]) -> Vec<u8> {
    let mut out = Vec::with_capacity(16 + 64 * results.len());
    out.extend_from_slice(b"{\"results\":[");
    for (place, result) in results.iter().enumerate() {
        out.extend_from_slice(if place > 0 { &b",{\"receipt\":\""[..] } else { b"{\"receipt\":\"" });
        receipt::write(&mut out, result.receipt);
        out.push(b'"');
        write_member(&mut out, "status", status(result.status));
        if let Some(at) = result.lease_expires_at {
            write_time(&mut out, "lease_expires_at", at);
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    out
}

const fn status(status: SettleStatus) -> &'static str {
    match status {
        SettleStatus::Done => "done",
        SettleStatus::AlreadySettled => "already-settled",
        SettleStatus::LeaseLost => "lease-lost",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_reason_is_cut_at_a_whole_character() {
        let reason = "ä".repeat(REASON_BYTES);
        assert_eq!(shortened(&reason).len(), REASON_BYTES);
        assert_eq!(shortened(&format!("x{reason}")).len(), REASON_BYTES - 1);
        assert_eq!(&*shortened("short"), "short");
    }
}
