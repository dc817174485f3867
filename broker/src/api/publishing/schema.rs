//! How publishing shows in the OpenAPI document. Nothing of it runs.

use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::api::given::{Lifetime, Pause};

/// The result of publishing one message.
#[derive(Serialize, ToSchema)]
pub(super) struct PublishResult {
    /// The message's id: the publisher's, or the one that the broker made.
    id: String,
    /// Whether it had been published here before; then nothing was stored.
    duplicate: bool,
    /// How many queues took it; of a duplicate, the first time.
    queues: u32,
}

/// The results of a batch, in order.
#[derive(Serialize, ToSchema)]
pub(super) struct BatchResult {
    results: Vec<PublishResult>,
}

/// A CloudEvents 1.0 event in the JSON format. Further attributes are extensions: texts, booleans or
/// whole numbers of 32 bits under names of lower-case letters and digits.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct CloudEvent {
    /// Always 1.0.
    #[schema(pattern = "^1\\.0$", example = "1.0")]
    specversion: String,
    /// Unique within the source.
    #[schema(min_length = 1, example = "0192")]
    id: String,
    /// Who made it.
    #[schema(min_length = 1, example = "/shop")]
    source: String,
    /// What kind of event it is.
    #[schema(min_length = 1, example = "order.placed")]
    r#type: String,
    /// What it is about.
    #[schema(min_length = 1)]
    subject: Option<String>,
    /// When it happened.
    #[schema(value_type = Option<units::Timestamp>, inline)]
    time: Option<String>,
    /// The content type of the data; JSON where it is left out.
    #[schema(min_length = 1, example = "application/json")]
    datacontenttype: Option<String>,
    /// The schema of the data.
    #[schema(min_length = 1)]
    dataschema: Option<String>,
    /// What order is kept by.
    #[schema(min_length = 1)]
    partitionkey: Option<String>,
    /// When it can first be received.
    #[schema(value_type = Option<units::Timestamp>, inline)]
    deliverat: Option<String>,
    /// When it expires.
    #[schema(value_type = Option<units::Timestamp>, inline)]
    expiresat: Option<String>,
    /// The data: any JSON value, kept as it is.
    #[schema(value_type = serde_json::Value)]
    data: Option<serde_json::Value>,
    /// Data that is not JSON or text, in base64, instead of `data`.
    data_base64: Option<String>,
}

/// The headers of a publish.
#[derive(IntoParams)]
#[into_params(parameter_in = Header, rename_all = "kebab-case")]
#[allow(dead_code)]
pub(super) struct PublishHeaders {
    /// How long it waits before it can be received.
    #[param(rename = "Message-Delay", inline)]
    message_delay: Option<Pause>,
    /// How long it may wait once it can be received.
    #[param(rename = "Message-TTL", inline)]
    message_ttl: Option<Lifetime>,
    /// Refuse the publish when no queue takes it.
    #[param(rename = "Require-Route")]
    require_route: Option<bool>,
    /// Stands in for a missing id in binary mode.
    #[param(rename = "Idempotency-Key")]
    idempotency_key: Option<String>,
    /// The trace that the message belongs to.
    #[param(rename = "traceparent")]
    traceparent: Option<String>,
    /// Binary mode: unique within the source; the broker makes one.
    #[param(rename = "ce-id")]
    id: Option<String>,
    /// Binary mode: who made it.
    #[param(rename = "ce-source")]
    source: Option<String>,
    /// Binary mode: what kind of event it is.
    #[param(rename = "ce-type")]
    kind: Option<String>,
    /// Binary mode: what it is about.
    #[param(rename = "ce-subject")]
    subject: Option<String>,
    /// Binary mode: when it happened.
    #[param(rename = "ce-time", inline, value_type = Option<units::Timestamp>)]
    time: Option<String>,
    /// Binary mode: what order is kept by.
    #[param(rename = "ce-partitionkey")]
    partitionkey: Option<String>,
}
