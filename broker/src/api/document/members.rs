//! What problems of the broker say besides what all problems do.

use utoipa::openapi::{
    ObjectBuilder, RefOr, Schema,
    schema::{KnownFormat, SchemaFormat, SchemaType, Type},
};

/// A member's name, its type, and of which problems it is.
type Member = (&'static str, Type, &'static str);

const MEMBERS: [Member; 6] = [
    (
        "index",
        Type::Integer,
        "Which of a batch is at fault, from 0: `id-reused`, `no-route`, `body-too-large`.",
    ),
    ("queue", Type::String, "The queue that has no room: `queue-full`, `body-too-large`."),
    ("limit", Type::Integer, "How many there may be: `too-many-queues`, `too-many-redrives`."),
    (
        "setting",
        Type::String,
        "The setting that can't be so: `setting-conflict`; that it can never fit: `body-too-large`.",
    ),
    ("role", Type::String, "The role that the token lacks: `forbidden`."),
    ("name", Type::String, "On which name it lacks the role: `forbidden`."),
];

/// Adds them to the form of a problem, none of them required.
pub(super) fn add(problem: &mut RefOr<Schema>) {
    let RefOr::T(Schema::Object(problem)) = problem else { return };
    for (name, of_type, description) in MEMBERS {
        let is_number = of_type == Type::Integer;
        let member = ObjectBuilder::new()
            .schema_type(SchemaType::new(of_type))
            .format(is_number.then_some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .minimum(is_number.then_some(0))
            .description(Some(description));
        problem.properties.insert(name.to_owned(), member.build().into());
    }
}
