//! The relay: publishes what stands in the outbox, in order per key, until the broker has confirmed it.
//!
//! ```text
//! waiting ─claim (lease)→ claimed ─publish, confirmed→ published ─retention→ removed
//!    ↑                      │ │ └──────refused for good→ set aside ─retry→ waiting, or deleted
//!    └──broker away, or the─┘ └─the relay died: the lease runs out, another claims
//! ```
//! A crash between publish and mark publishes again, under the same id: the broker deduplicates it, and
//! beyond its window the inbox does. Several relays may run on one outbox, in any number of processes.

mod batch;

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use units::Timestamp;
use uuid::Uuid;

use self::batch::{Batch, Outcomes};
use crate::{
    database::{DatabaseError, before},
    outage::Outage,
    outbox::{Outbox, rows},
    status::{Report, Status},
    transport::Transport,
};

/// How many rows are claimed and published at once.
const MAX_BATCH: u32 = 256;
/// How long a claim holds. A relay that dies holds its rows up for so long.
const CLAIM: Duration = Duration::from_secs(10);
/// How long a publish may take: less than the claim, so that a relay that waits never outstays it.
const PUBLISH_LIMIT: Duration = Duration::from_secs(8);
/// How often the outbox is looked at without a notify: for rows of a process that died before it
/// notified, and for claims that ran out.
const POLL: Duration = Duration::from_secs(1);
/// How long published rows are kept, unless told otherwise.
const RETENTION: Duration = Duration::from_secs(300);
/// How many published rows are removed at once, at most once a [`POLL`].
const MAX_PRUNED: u32 = 10_000;
/// How often depth and age are measured.
const MEASURE: Duration = Duration::from_secs(5);

/// Publishes an outbox's rows. Build it, then [`Self::run`] it.
#[derive(Debug)]
pub struct Relay {
    outbox: Outbox,
    transport: Arc<dyn Transport>,
    retention: Duration,
    report: Report,
}

impl Relay {
    /// A relay from that outbox to that transport.
    #[must_use]
    pub fn new(outbox: Outbox, transport: Arc<dyn Transport>) -> Self {
        Self { outbox, transport, retention: RETENTION, report: Report::new(None) }
    }

    /// How long published rows are kept; 5 minutes unless told otherwise.
    #[must_use]
    pub const fn retention(mut self, retention: Duration) -> Self {
        self.retention = retention;
        self
    }

    /// How it fares.
    #[must_use]
    pub fn status(&self) -> Status {
        self.report.status()
    }

    /// Publishes until `shutdown`; what is being published then is waited for and marked.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut outage = Outage::new("publishing from the outbox");
        let mut finished = None;
        let mut next_prune = Instant::now();
        let mut next_measure = Instant::now();
        loop {
            let stopping = shutdown.is_cancelled();
            let prune = Instant::now() >= next_prune;
            if prune {
                next_prune = Instant::now() + POLL;
            }
            let batch = match self.turn(finished.take(), prune, stopping).await {
                Ok(batch) => batch,
                Err(error) => {
                    tracing::error!(error = %crate::failure::reason(&error), "outbox_failed");
                    self.report.trouble(format!("the outbox: {error}"));
                    Batch::default()
                }
            };
            if stopping {
                return;
            }
            if Instant::now() >= next_measure {
                next_measure = Instant::now() + MEASURE;
                self.measure().await;
            }
            if batch.is_empty() {
                tokio::select! {
                    () = shutdown.cancelled() => {}
                    () = self.outbox.notified() => {}
                    () = tokio::time::sleep(POLL) => {}
                }
                continue;
            }
            let outcomes = batch.publish(&*self.transport, PUBLISH_LIMIT).await;
            let pause = self.note(&outcomes, &mut outage);
            if let Some(pause) = pause {
                // What could not go is free for others while this relay pauses.
                self.turn(Some(outcomes), false, true).await.ok();
                tokio::select! {
                    () = shutdown.cancelled() => {}
                    () = tokio::time::sleep(pause) => {}
                }
            } else {
                finished = Some(outcomes);
            }
        }
    }

    /// One transaction: marks what the last batch came to, and claims the next.
    async fn turn(
        &self,
        finished: Option<Outcomes>,
        prune: bool,
        last: bool,
    ) -> Result<Batch, DatabaseError> {
        let (now, finished) = (Timestamp::now(), finished.map(Arc::new));
        let prune_before = prune.then(|| before(now, self.retention));
        self.outbox
            .database()
            .write(move |connection| {
                Box::pin(async move {
                    if let Some(outcomes) = finished {
                        outcomes.record(connection, now).await?;
                    }
                    if let Some(prune_before) = prune_before {
                        rows::prune(connection, prune_before, MAX_PRUNED).await?;
                    }
                    if last {
                        return Ok(Batch::default());
                    }
                    let claim = Uuid::now_v7().to_string();
                    let rows = rows::claim(connection, &claim, now, now.plus(CLAIM), MAX_BATCH).await?;
                    Ok(Batch::new(claim, rows))
                })
            })
            .await
    }

    /// Tells how the batch went; answers how long to pause if the broker is away.
    fn note(&self, outcomes: &Outcomes, outage: &mut Outage) -> Option<Duration> {
        let database = self.outbox.database().name().to_owned();
        metrics::counter!("outbox_published_total", "database" => database.clone())
            .increment(outcomes.published());
        for (id, error) in outcomes.refused() {
            metrics::counter!("outbox_set_aside_total", "database" => database.clone()).increment(1);
            tracing::error!(message_id = id, error, "outbox_set_aside");
        }
        if let Some(error) = outcomes.unavailable() {
            self.report.trouble(error.to_string());
            return Some(outage.failed(error, error.retry_after()));
        }
        outage.over();
        self.report.well();
        None
    }

    /// Depth and age, as gauges.
    async fn measure(&self) {
        let Ok((depth, oldest)) = self.outbox.backlog().await else { return };
        let database = self.outbox.database().name().to_owned();
        #[allow(clippy::cast_precision_loss)] // a depth beyond 2^53 is none
        metrics::gauge!("outbox_depth", "database" => database.clone()).set(depth as f64);
        metrics::gauge!("outbox_oldest_age_seconds", "database" => database)
            .set(oldest.unwrap_or_default().as_secs_f64());
    }
}
