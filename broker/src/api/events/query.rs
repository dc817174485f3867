//! What a watcher asks for: which events, and behind which one the stream goes on.

use std::fmt;

use axum::http::HeaderMap;
use broker_core::{activity::ActivityKind, identity::Name};
use serde::{Deserialize, de::IntoDeserializer as _};
use serve::problem::Problem;
use utoipa::IntoParams;

use crate::{
    api::{path, receipt::parse_number, watching::What},
    broker::Broker,
    engine::feed::Position,
};

const LAST_EVENT_ID: &str = "last-event-id";

/// Which events are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EventsQuery {
    /// Only what happens in this queue, or in these, with commas between them.
    #[param(example = "jobs")]
    queue: Option<String>,
    /// Only events of this kind, or of these, with commas between them.
    #[param(style = Form, explode = false, value_type = Option<Vec<What>>)]
    kind: Option<String>,
}

impl EventsQuery {
    /// What it asks for, where every word of it is known.
    pub(super) fn wanted(&self) -> Result<Wanted, Problem> {
        let parts = |text: &Option<String>| {
            text.iter().flat_map(|text| text.split(',')).map(str::to_owned).collect::<Vec<_>>()
        };
        let queues =
            parts(&self.queue).iter().map(|name| path::name("queue", name)).collect::<Result<_, _>>()?;
        let kinds = parts(&self.kind).iter().map(|kind| parse_kind(kind)).collect::<Result<_, _>>()?;
        Ok(Wanted { queues, kinds })
    }
}

fn parse_kind(text: &str) -> Result<What, Problem> {
    let kind = What::deserialize(text.into_deserializer());
    kind.map_err(|error: serde::de::value::Error| Problem::invalid("kind", error.to_string()))
}

/// What a watcher wants to be told; where a list is empty, everything.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) queues: Vec<Name>,
    kinds: Vec<What>,
}

impl Wanted {
    /// Whether an activity is wanted.
    pub(super) fn has(&self, queue: Option<&Name>, what: ActivityKind) -> bool {
        let of_queue = || queue.is_some_and(|queue| self.queues.contains(queue));
        (self.queues.is_empty() || of_queue()) && (self.kinds.is_empty() || self.kinds.contains(&what.into()))
    }
}

/// One run of the broker: the ids of its events are good for as long as it runs.
///
/// ```text
/// 1732508054563-84
/// when it began, in ms — the place in the feed
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run(u64);

/// Behind which event the stream goes on.
pub(super) enum Resume {
    /// From now on.
    Now,
    Behind(Position),
    /// From now on, since the last event was one of another run.
    AnotherRun,
}

impl Run {
    /// That of a broker.
    pub(super) fn of(broker: &Broker) -> Self {
        Self(broker.began().as_millis())
    }

    /// The id of what stands at that place.
    pub(super) fn id(self, position: Position) -> String {
        EventId { run: self, position }.to_string()
    }

    /// Where the request wants to go on.
    pub(super) fn resume(self, headers: &HeaderMap, broker: &Broker) -> Result<Resume, Problem> {
        let Some(value) = headers.get(LAST_EVENT_ID).filter(|value| !value.is_empty()) else {
            return Ok(Resume::Now);
        };
        let known = value.to_str().ok().and_then(EventId::parse);
        match known {
            Some(EventId { run, .. }) if run != self => Ok(Resume::AnotherRun),
            Some(EventId { position, .. }) if broker.has_reached(position) => Ok(Resume::Behind(position)),
            _ => Err(Problem::invalid(
                "Last-Event-ID",
                "is not the id of an event of this stream: pass it on as it was given, or leave it out",
            )),
        }
    }
}

impl Resume {
    pub(super) const fn after(&self) -> Option<Position> {
        match self {
            Self::Behind(position) => Some(*position),
            Self::Now | Self::AnotherRun => None,
        }
    }

    pub(super) const fn is_of_another_run(&self) -> bool {
        matches!(self, Self::AnotherRun)
    }
}

struct EventId {
    run: Run,
    position: Position,
}

impl EventId {
    fn parse(text: &str) -> Option<Self> {
        let (run, position) = text.split_once('-')?;
        Some(Self { run: Run(parse_number(run)?), position: Position::from_number(parse_number(position)?) })
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.run.0, self.position.get())
    }
}
