//! The bodies of calls: what is taken is what was asked for, within its range; what is refused is named.

mod messages;
mod refused;
mod settings;
mod tokens;

use serde::de::DeserializeOwned;
use serde_json::Value;
use serve::{extract::parse_json, problem::Problem};

/// A word for the call in the first line, and its body in the rest.
pub fn bodies(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (call, body) = (&input[..end], input.get(end + 1..).unwrap_or_default());
    match call {
        b"queue" => settings::of_queue(body),
        b"topic" => settings::of_topic(body),
        b"subscription" => settings::of_subscription(body),
        b"receive" => messages::receive(body),
        b"ack" => messages::ack(body),
        b"nack" => messages::nack(body),
        b"extend" => messages::extend(body),
        b"redrive" => messages::redrive(body),
        b"purge" => messages::purge(body),
        b"replay" => messages::replay(body),
        b"token" => tokens::make(body),
        _ => {}
    }
}

/// Reads a body into what it asks for; `None` where it is refused, and then for a reason that is in it.
fn read<T: DeserializeOwned, A>(
    body: &[u8],
    needed: &[&str],
    ask: impl FnOnce(T) -> Result<A, Problem>,
) -> Option<A> {
    match parse_json(body).and_then(ask) {
        Ok(asked) => Some(asked),
        Err(problem) => {
            refused::hold(&problem, body, needed);
            None
        }
    }
}

/// What was taken, as JSON; an empty body is an empty object.
fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|_| Value::Object(serde_json::Map::new()))
}
