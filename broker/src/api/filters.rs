//! Filters: how they look in a body and in the OpenAPI document, and trying one out.

use axum::{Json, extract::State};
use broker_core::filter::Filter;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};
use serve::problem::Problem;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ArrayBuilder, Object, ObjectBuilder, OneOfBuilder, Ref, RefOr, Schema,
        schema::{AdditionalProperties, Type},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    given::Distinct,
    path::NoQuery,
    publishing::{CloudEvent, attributes_of},
};
use crate::filter;

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(test))
}

/// Reads the field `filter`.
pub(super) fn read(json: &Value) -> Result<Filter, Problem> {
    filter::read(json, "filter").map_err(|error| Problem::invalid(error.field, error.detail))
}

/// A filter of the CloudEvents Subscriptions dialect.
pub(super) struct FilterText;

impl PartialSchema for FilterText {
    fn schema() -> RefOr<Schema> {
        let words = ["exact", "prefix", "suffix"].map(|word| member(word, terms()));
        let filters = || ArrayBuilder::new().min_items(Some(1)).items(this());
        let lists = ["all", "any"].map(|word| member(word, filters()));
        let one = words.into_iter().chain(lists).chain([member("not", this())]);
        let choice = one.fold(OneOfBuilder::new(), OneOfBuilder::item).description(Some(
            "`exact`, `prefix` and `suffix` compare attributes (all that they name must fit); `all`, `any` and \
             `not` combine. At most 16 levels and 256 parts.",
        ));
        Schema::from(choice.examples([json!({"prefix": {"type": "order."}})]).build()).into()
    }
}

/// Another filter.
fn this() -> Ref {
    Ref::from_schema_name("Filter")
}

/// An object with that one member.
fn member(word: &str, value: impl Into<RefOr<Schema>>) -> Object {
    let object = ObjectBuilder::new().property(word, value).required(word);
    object.additional_properties(Some(AdditionalProperties::FreeForm(false))).build()
}

/// Attributes with the texts that they are compared to.
fn terms() -> Object {
    let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1));
    let name = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^(?!data$)[a-z0-9]+$")).build();
    let mut terms = ObjectBuilder::new().additional_properties(Some(text)).build();
    terms.property_names = Some(Box::new(name.into()));
    terms.min_properties = Some(1);
    terms
}

impl ToSchema for FilterText {
    fn name() -> std::borrow::Cow<'static, str> {
        "Filter".into()
    }
}

/// A filter, or null for none.
pub(super) struct FilterOrNull;

impl PartialSchema for FilterOrNull {
    fn schema() -> RefOr<Schema> {
        let null = ObjectBuilder::new().schema_type(Type::Null);
        Schema::from(OneOfBuilder::new().item(this()).item(null).build()).into()
    }
}

impl ToSchema for FilterOrNull {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((FilterText::name().into_owned(), FilterText::schema()));
    }
}

/// A filter and an event to try it on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FilterTrial {
    #[schema(value_type = FilterText)]
    filter: Distinct,
    #[schema(value_type = CloudEvent)]
    event: Box<RawValue>,
}

/// What became of it.
#[derive(Debug, Serialize, ToSchema)]
struct FilterVerdict {
    /// Whether the event passes the filter.
    matches: bool,
}

/// Try a filter on an event, before a subscription has it.
#[utoipa::path(post, path = "/filters/test", operation_id = "test_filter", tag = "topics", request_body = FilterTrial, responses(
    (status = 200, description = "Whether the event passes", body = FilterVerdict),
))]
async fn test(
    State(_): State<Api>,
    _: NoQuery,
    serve::extract::Json(trial): serve::extract::Json<FilterTrial>,
) -> Result<Json<FilterVerdict>, Problem> {
    let Distinct(filter) = &trial.filter;
    let filter = read(filter)?;
    let attributes = attributes_of(&trial.event, "event")?;
    Ok(Json(FilterVerdict { matches: filter.matches(&attributes) }))
}
