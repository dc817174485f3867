//! A dead letter as lists show it.

use broker_core::{change::FailureRecord, view::DeadLetter};
use serde::Serialize;
use serve::problem::{INTERNAL, Problem};
use units::Timestamp;
use utoipa::ToSchema;

use crate::{
    record::{Head, Listed},
    store::Found,
};

/// A dead letter.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeadLetter)]
pub(super) struct Item {
    pub(super) id: String,
    pub(super) source: String,
    pub(super) r#type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    partitionkey: Option<String>,
    /// Why it last failed; null where nobody said.
    pub(super) reason: Option<String>,
    /// How often it was delivered since it was published or last redriven.
    delivery_count: u32,
    first_failed_at: Timestamp,
    pub(super) last_failed_at: Timestamp,
    redrive_count: u32,
    /// Whether the stored event is not as it was stored, by its checksum. Then it is shown without its
    /// message, and by what can still be read of its id, source and type.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    damaged: Option<bool>,
}

impl Item {
    /// Puts together what the core, the stored event and its last failure say.
    pub(super) fn of(
        letter: &DeadLetter,
        record: &Found,
        last_failure: Option<&FailureRecord>,
    ) -> Result<Self, Problem> {
        let (attributes, damaged) = match record {
            Found::Whole(record) => (read(record)?, None),
            Found::Damaged(record) => (Listed::from(Head::of_damaged(record)), Some(true)),
        };
        Ok(Self {
            damaged,
            id: attributes.id.into_owned(),
            source: attributes.source.into_owned(),
            r#type: attributes.kind.into_owned(),
            subject: attributes.subject.map(Into::into),
            partitionkey: attributes.key.map(Into::into),
            reason: last_failure.and_then(|failure| failure.reason.as_deref()).map(ToOwned::to_owned),
            delivery_count: letter.delivery_count,
            first_failed_at: letter.first_failed_at,
            last_failed_at: letter.last_failed_at,
            redrive_count: letter.redrive_count,
        })
    }
}

/// The attributes of a stored event.
pub(super) fn read(record: &[u8]) -> Result<Listed<'_>, Problem> {
    Listed::read(record).map_err(|error| unreadable(&error))
}

/// The problem of a stored event that is not what was stored.
pub(super) fn unreadable(error: &serde_json::Error) -> Problem {
    tracing::error!(error = %error, "a stored event could not be read");
    Problem::new(&INTERNAL)
}
