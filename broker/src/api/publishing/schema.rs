//! How publishing shows in the OpenAPI document. Nothing of it runs.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{
        ObjectBuilder, OneOfBuilder, RefOr, Schema,
        extensions::Extensions,
        schema::{AdditionalProperties, Type},
    },
};

use crate::api::given::{Lifetime, Moment, Pause};

/// The result of publishing one message.
#[derive(Serialize, ToSchema)]
pub(super) struct PublishResult {
    /// The message's id: the publisher's, or the one that the broker made.
    id: String,
    /// Whether it had been published here before; then nothing was stored.
    duplicate: bool,
    /// How many queues took it, not counting those where it became a dead letter at once, as there was no room;
    /// of a duplicate, the first time.
    queues: u32,
}

/// The results of a batch, in order.
#[derive(Serialize, ToSchema)]
pub(super) struct BatchResult {
    results: Vec<PublishResult>,
}

/// A CloudEvents 1.0 event in the JSON format. Further attributes are extensions: texts, booleans or
/// whole numbers of 32 bits under names of lower-case letters and digits. No text has control characters in it.
pub(in crate::api) struct CloudEvent;

impl PartialSchema for CloudEvent {
    fn schema() -> RefOr<Schema> {
        let mut schema = Named::schema();
        if let RefOr::T(Schema::Object(event)) = &mut schema {
            event.additional_properties = Some(Box::new(AdditionalProperties::RefOr(extension().into())));
            let names =
                ObjectBuilder::new().schema_type(Type::String).pattern(Some("^(?:[a-z0-9]+|data_base64)$"));
            event.property_names = Some(Box::new(names.into()));
            let not_both = serde_json::json!({"required": ["data", "data_base64"]});
            event.extensions = Some(Extensions::from_iter([("not", not_both)]));
        }
        schema
    }
}

impl ToSchema for CloudEvent {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Named::schemas(schemas);
        schemas.push((Moment::name().into_owned(), Moment::schema()));
        schemas.push((Text::name().into_owned(), Text::schema()));
    }
}

/// The value of an extension.
fn extension() -> Schema {
    let typed = |of| ObjectBuilder::new().schema_type(of);
    let number = typed(Type::Integer).minimum(Some(i32::MIN)).maximum(Some(i32::MAX));
    let any = OneOfBuilder::new().item(without_controls()).item(typed(Type::Boolean)).item(number);
    any.item(typed(Type::Null)).build().into()
}

/// A text as CloudEvents allows it in an attribute.
fn without_controls() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(r"^[^\u0000-\u001f\u007f-\u009f]*$"))
}

/// The text of an attribute that has a name: at least one character, none of them a control character.
struct Text;

impl PartialSchema for Text {
    fn schema() -> RefOr<Schema> {
        without_controls().min_length(Some(1)).into()
    }
}

impl ToSchema for Text {
    fn name() -> Cow<'static, str> {
        "AttributeText".into()
    }
}

/// The attributes that have names, and the data.
#[derive(Serialize, ToSchema)]
struct Named {
    /// Always 1.0.
    #[schema(pattern = "^1\\.0$", example = "1.0")]
    specversion: String,
    /// Unique within the source.
    #[schema(value_type = Text, example = "0192")]
    id: String,
    /// Who made it.
    #[schema(value_type = Text, example = "/shop")]
    source: String,
    /// What kind of event it is.
    #[schema(value_type = Text, example = "order.placed")]
    r#type: String,
    /// What it is about.
    #[schema(value_type = Option<Text>)]
    subject: Option<String>,
    /// When it happened.
    #[schema(value_type = Option<Moment>)]
    time: Option<String>,
    /// The content type of the data; JSON where it is left out.
    #[schema(value_type = Option<Text>, example = "application/json")]
    datacontenttype: Option<String>,
    /// The schema of the data.
    #[schema(value_type = Option<Text>)]
    dataschema: Option<String>,
    /// What order is kept by.
    #[schema(value_type = Option<Text>)]
    partitionkey: Option<String>,
    /// When it can first be received.
    #[schema(value_type = Option<Moment>)]
    deliverat: Option<String>,
    /// When it expires.
    #[schema(value_type = Option<Moment>)]
    expiresat: Option<String>,
    /// The data: any JSON value of up to 100 levels of arrays and objects, kept as it is. In binary mode what has
    /// more becomes `data_base64`: many readers could read nothing of an answer that it stands in.
    #[schema(value_type = serde_json::Value, required = false)]
    data: Option<serde_json::Value>,
    /// Data that is not JSON or text, in base64, instead of `data`.
    #[schema(
        pattern = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$"
    )]
    data_base64: Option<String>,
}

/// The headers of a publish.
#[derive(IntoParams)]
#[into_params(parameter_in = Header, rename_all = "kebab-case")]
#[allow(dead_code)]
pub(super) struct PublishHeaders {
    /// How long it waits before it can be received. An event's own `deliverat` comes before it.
    #[param(rename = "Message-Delay", inline, required = false)]
    message_delay: Pause,
    /// How long it may wait once it can be received, if the queue's `ttl` does not end earlier. An event's own
    /// `expiresat` comes before it.
    #[param(rename = "Message-TTL", inline, required = false)]
    message_ttl: Lifetime,
    /// Refuse the publish where a message of it would wait in no queue (`queues` would be 0).
    #[param(rename = "Require-Route", required = false)]
    require_route: bool,
    /// Stands in for a missing id in binary mode.
    #[param(rename = "Idempotency-Key", pattern = r#"^(?!""$)[!-~](?:[ -~]*[!-~])?$"#, required = false)]
    idempotency_key: String,
    /// The trace that the message belongs to.
    #[param(rename = "traceparent", required = false)]
    traceparent: String,
    /// Binary mode: unique within the source; the broker makes one.
    #[param(rename = "ce-id", pattern = "^[!#$&-~](?:[ !#$&-~]*[!#$&-~])?$", required = false)]
    id: String,
    /// Binary mode: who made it.
    #[param(rename = "ce-source", pattern = "^[!#$&-~](?:[ !#$&-~]*[!#$&-~])?$", required = false)]
    source: String,
    /// Binary mode: what kind of event it is.
    #[param(rename = "ce-type", pattern = "^[!#$&-~](?:[ !#$&-~]*[!#$&-~])?$", required = false)]
    kind: String,
    /// Binary mode: what it is about.
    #[param(rename = "ce-subject", pattern = "^[!#$&-~](?:[ !#$&-~]*[!#$&-~])?$", required = false)]
    subject: String,
    /// Binary mode: when it happened.
    #[param(rename = "ce-time", inline, required = false)]
    time: Moment,
    /// Binary mode: what order is kept by.
    #[param(rename = "ce-partitionkey", pattern = "^[!#$&-~](?:[ !#$&-~]*[!#$&-~])?$", required = false)]
    partitionkey: String,
}
