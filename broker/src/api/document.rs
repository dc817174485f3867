//! The frame of the OpenAPI document, and the problems that every endpoint can answer with, added in one
//! place so that none is forgotten.

use std::collections::btree_map::Entry;

use axum::http::Method;
use serde_json::{Value, json};
use serve::problem::{COMMON, Explanation, ProblemBody, Slug};
use utoipa::{
    OpenApi, PartialSchema, ToSchema,
    openapi::{
        ContentBuilder, HeaderBuilder, ObjectBuilder, Ref, RefOr, Required, ResponseBuilder, Schema,
        extensions::Extensions,
        path::{Operation, PathItem},
        response::Response,
        schema::Type,
    },
};
use utoipa_axum::router::OpenApiRouter;

use super::problem;

mod access;
mod members;

/// The operations that make no sense without a body; an empty one is `{}` to the others.
const NEEDS_BODY: [&str; 6] = ["ack", "nack", "extend", "replay", "create_token", "test_filter"];
const PROBLEM: &str = "application/problem+json";

/// The document without the endpoints that the routers bring.
pub(super) fn frame() -> utoipa::openapi::OpenApi {
    #[derive(OpenApi)]
    #[openapi(
        info(title = "Broker", description = "A durable message broker, spoken to over HTTP."),
        paths(description, explanation)
    )]
    struct Frame;
    Frame::openapi()
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", operation_id = "get_openapi", tag = "watching", responses(
    (status = 200, description = "This document, OpenAPI 3.1", body = Object),
))]
#[allow(dead_code)]
const fn description() {}

/// What a problem means and what to do about it.
#[utoipa::path(get, path = "/problems/{slug}", operation_id = "get_problem", tag = "watching",
    params(("slug" = String, Path, description = "The last part of a problem's type", example = "queue-full", min_length = 1)),
    responses(
        (status = 200, description = "The explanation", body = Explanation),
        (status = 404, description = "`not-found`: no problem has this name"),
    ))]
#[allow(dead_code)]
const fn explanation() {}

/// Fills in the answers that endpoints have in common, and the form of all problems.
pub(super) fn with_problems<S: Clone + Send + Sync + 'static>(
    mut router: OpenApiRouter<S>,
) -> OpenApiRouter<S> {
    let document = router.get_openapi_mut();
    for (path, item) in &mut document.paths.paths {
        access::describe(path, operations(item));
        for (_, operation) in operations(item) {
            complete(operation);
        }
    }
    if let Some(components) = &mut document.components {
        access::add_scheme(components);
        for (name, not) in exclusions() {
            if let Some(RefOr::T(Schema::Object(body))) = components.schemas.get_mut(name) {
                body.extensions = Some(Extensions::from_iter([("not", not)]));
            }
        }
        let mut problem = ProblemBody::schema();
        members::add(&mut problem);
        components.schemas.insert("Problem".to_owned(), problem);
        let mut others = Vec::new();
        ProblemBody::schemas(&mut others);
        components.schemas.extend(others);
    }
    router
}

/// What can't go together in a body.
fn exclusions() -> [(&'static str, Value); 4] {
    let both = |one: &str, first: Value, other: &str, second: Value| json!({"required": [one, other], "properties": {one: first, other: second}});
    let of_a_dead_letter =
        |field: &str, value: Value| both("dead_letter", json!({"const": true}), field, value);
    let filtered = |of: &str| json!({"required": ["ids", of]});
    let either = ["type", "reason", "since", "until"].map(filtered);
    let ids_or_filter = json!({"anyOf": either});
    [
        ("RedriveBody", ids_or_filter.clone()),
        ("PurgeBody", ids_or_filter),
        ("ReceiveBody", both("auto_ack", json!({"const": true}), "receive_id", json!({}))),
        (
            "NackBody",
            json!({"anyOf": [of_a_dead_letter("count", json!({"const": false})), of_a_dead_letter("delay", json!({}))]}),
        ),
    ]
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let all = [
        (Method::GET, &mut item.get),
        (Method::PUT, &mut item.put),
        (Method::POST, &mut item.post),
        (Method::DELETE, &mut item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn complete(operation: &mut Operation) {
    let takes_body = operation.request_body.is_some();
    let id = operation.operation_id.as_deref().unwrap_or_default();
    if let Some(RefOr::T(body)) = &mut operation.request_body
        && !NEEDS_BODY.contains(&id)
    {
        body.required = Some(Required::False);
    }
    let always =
        ["request-timeout", "invalid-field", "headers-too-large", "internal", "not-ready", "overloaded"];
    let of_bodies = ["malformed-json", "malformed-request", "body-too-large", "foreign-page"];
    for name in always.iter().chain(of_bodies.iter().filter(|_| takes_body)) {
        add(operation, name);
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && status.starts_with(['4', '5'])
        {
            as_problem(status, response);
        }
    }
}

/// Adds a problem to the answers, unless its status is described with it.
fn add(operation: &mut Operation, name: &str) {
    let Some(slug) = find(name) else { return };
    let described = format!("`{name}`: {}", slug.title);
    match operation.responses.responses.entry(slug.status.to_string()) {
        Entry::Vacant(entry) => {
            entry.insert(RefOr::T(ResponseBuilder::new().description(described).build()));
        }
        Entry::Occupied(mut entry) => match entry.get_mut() {
            RefOr::T(response) if !response.description.contains(&format!("`{name}`")) => {
                response.description = format!("{}; {described}", response.description);
            }
            _ => {}
        },
    }
}

fn find(name: &str) -> Option<&'static Slug> {
    problem::TABLE.iter().chain(COMMON).copied().find(|slug| slug.name == name)
}

fn as_problem(status: &str, response: &mut Response) {
    let body = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    response.content.insert(PROBLEM.to_owned(), body.into());
    if matches!(status, "429" | "503") {
        let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
        let header = HeaderBuilder::new()
            .schema(Some(seconds))
            .description(Some("Seconds to wait before trying again"));
        response.headers.insert("Retry-After".to_owned(), header.build().into());
    }
}
