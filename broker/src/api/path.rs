//! What stands in a path.

use broker_core::identity::{Name, Selector};
use serde::Deserialize;
pub(super) use serve::extract::NoQuery;
use serve::problem::Problem;
use utoipa::IntoParams;

use super::identity;

/// A queue.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct InQueue {
    /// The queue's name.
    #[param(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$", example = "jobs")]
    queue: String,
}

/// A topic.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct InTopic {
    /// The topic's name.
    #[param(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$", example = "orders")]
    topic: String,
}

/// A message of a queue.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct InQueueById {
    /// The queue's name.
    #[param(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$", example = "jobs")]
    queue: String,
    /// The message's id, percent-encoded.
    #[param(min_length = 1)]
    pub(super) id: String,
}

/// A subscription.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct InTopicByQueue {
    /// The topic's name.
    #[param(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$", example = "orders")]
    topic: String,
    /// The queue's name.
    #[param(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$", example = "email.orders")]
    queue: String,
}

impl InQueue {
    /// The name, where it is one.
    pub(super) fn name(&self) -> Result<Name, Problem> {
        name("queue", &self.queue)
    }
}

impl InTopic {
    /// The name, where it is one.
    pub(super) fn name(&self) -> Result<Name, Problem> {
        name("topic", &self.topic)
    }
}

impl InQueueById {
    /// The queue's name, where it is one.
    pub(super) fn queue(&self) -> Result<Name, Problem> {
        name("queue", &self.queue)
    }

    /// Which messages are meant.
    pub(super) fn selector(&self, source: &BySource) -> Selector {
        source.narrow(&self.id)
    }
}

impl InTopicByQueue {
    /// Both names, where they are names.
    pub(super) fn names(&self) -> Result<(Name, Name), Problem> {
        Ok((name("topic", &self.topic)?, name("queue", &self.queue)?))
    }
}

/// Parses a name that stands in that field.
pub(super) fn name(field: &str, text: &str) -> Result<Name, Problem> {
    Name::parse(text).map_err(|error| Problem::invalid(field, error.to_string()))
}

/// Narrows what is meant to one source.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct BySource {
    /// Only messages of this source.
    source: Option<String>,
}

impl BySource {
    /// The source, where one is given.
    pub(super) fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }

    /// Which messages of that id are meant.
    pub(super) fn narrow(&self, id: &str) -> Selector {
        Selector {
            id: identity::of_id(id),
            whole: self.source.as_deref().map(|source| identity::of_message(source, id).whole),
        }
    }
}
