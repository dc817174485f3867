//! What a relay claimed at once: published by topic, side by side, and what became of each row.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;
use sqlx::SqliteConnection;
use units::Timestamp;

use crate::{
    event::Event,
    outbox::rows::{self, Claimed},
    transport::{Destination, PublishError, Transport, TransportError},
};

/// Rows under one claim.
#[derive(Debug, Default)]
pub(super) struct Batch {
    claim: String,
    topics: BTreeMap<String, (Vec<i64>, Vec<Event>)>,
    outcomes: Outcomes,
}

/// What became of a batch's rows.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    claim: String,
    published: Vec<i64>,
    refused: Vec<Refused>,
    released: Vec<i64>,
    unavailable: Option<TransportError>,
}

#[derive(Debug)]
struct Refused {
    position: i64,
    id: String,
    error: String,
}

impl Batch {
    /// A row that can't be read as an event any more is refused without being sent.
    pub(super) fn new(claim: String, rows: Vec<Claimed>) -> Self {
        let mut batch = Self { claim, ..Self::default() };
        batch.outcomes.claim.clone_from(&batch.claim);
        for row in rows {
            match Event::from_json(row.event) {
                Ok(event) => {
                    let (positions, events) = batch.topics.entry(row.topic).or_default();
                    positions.push(row.position);
                    events.push(event);
                }
                Err(error) => {
                    let refused =
                        Refused { position: row.position, id: String::new(), error: error.to_string() };
                    batch.outcomes.refused.push(refused);
                }
            }
        }
        batch
    }

    pub(super) fn is_empty(&self) -> bool {
        self.topics.is_empty() && self.outcomes.refused.is_empty()
    }

    /// Publishes all, each topic's rows in one call. What is not confirmed within `limit` counts as not
    /// published: it will go again under the same id.
    pub(super) async fn publish(self, transport: &dyn Transport, limit: Duration) -> Outcomes {
        let mut outcomes = self.outcomes;
        let calls = self.topics.into_iter().map(|(topic, (positions, events))| async move {
            let destination = Destination::Topic(topic);
            let results = tokio::time::timeout(limit, transport.publish(&destination, &events)).await;
            let results =
                results.unwrap_or_else(|_| vec![Err(PublishError::Unavailable(late(limit))); events.len()]);
            (positions, events, results)
        });
        for (positions, events, results) in join_all(calls).await {
            for ((position, event), result) in positions.into_iter().zip(events).zip(results) {
                outcomes.note(position, &event, result);
            }
        }
        outcomes
    }
}

fn late(limit: Duration) -> TransportError {
    TransportError::Unreachable {
        detail: format!("no confirm within {} s", limit.as_secs()),
        retry_after: None,
    }
}

impl Outcomes {
    fn note(&mut self, position: i64, event: &Event, result: Result<(), PublishError>) {
        match result {
            Ok(()) => self.published.push(position),
            Err(PublishError::Refused(error)) => {
                self.refused.push(Refused { position, id: event.id().to_owned(), error });
            }
            Err(PublishError::Unavailable(error)) => {
                self.released.push(position);
                self.unavailable.get_or_insert(error);
            }
        }
    }

    pub(super) const fn published(&self) -> u64 {
        self.published.len() as u64
    }

    /// Id and reason of what was refused for good.
    pub(super) fn refused(&self) -> impl Iterator<Item = (&str, &str)> {
        self.refused.iter().map(|refused| (refused.id.as_str(), refused.error.as_str()))
    }

    /// Why some could not go now.
    pub(super) const fn unavailable(&self) -> Option<&TransportError> {
        self.unavailable.as_ref()
    }

    /// Writes it down, where the rows are still under this claim.
    pub(super) async fn record(
        &self,
        connection: &mut SqliteConnection,
        now: Timestamp,
    ) -> Result<(), sqlx::Error> {
        if !self.published.is_empty() {
            rows::published(connection, &self.claim, &self.published, now).await?;
        }
        for refused in &self.refused {
            rows::set_aside(connection, &self.claim, refused.position, &refused.error, now).await?;
        }
        if !self.released.is_empty() {
            rows::released(connection, &self.claim, &self.released).await?;
        }
        Ok(())
    }
}
