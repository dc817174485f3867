//! The suite that every transport is held to. It yields a verdict for each promise (holds, emulated,
//! not guaranteed) and never skips one: a promise that a transport makes and breaks is named as broken.
//! What is tried for each promise stands in `conformance/`, a file for each part of the contract.

mod bench;
mod delivering;
mod publishing;
mod settling;

use std::{fmt, sync::Arc};

use async_trait::async_trait;

use self::bench::Bench;
use crate::transport::{Guarantee, Transport, Verdict};

/// An engine on trial: what the suite needs beyond its transport.
#[async_trait]
pub trait Engine: Send + Sync {
    /// Its transport, connected.
    fn transport(&self) -> Arc<dyn Transport>;

    /// Stops the engine and starts it again on the same data, as hard as can be.
    async fn restart(&self);

    /// The dead letters of a queue.
    async fn dead_letters(&self, queue: &str) -> Vec<DeadLetter>;
}

/// A dead letter, as far as the suite looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The event's id.
    pub id: String,
    /// Why it died.
    pub reason: String,
}

/// What came out.
#[derive(Clone, Debug)]
pub struct Report {
    /// What the engine calls itself.
    pub system: &'static str,
    /// A row for each promise.
    pub rows: Vec<Row>,
}

/// One promise.
#[derive(Clone, Debug)]
pub struct Row {
    /// Which.
    pub guarantee: Guarantee,
    /// What the transport says of it.
    pub verdict: Verdict,
    /// What was seen instead, where it says more than is so.
    pub broken: Option<String>,
}

impl Report {
    /// Whether the transport keeps all that it promises.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.rows.iter().all(|row| row.broken.is_none())
    }
}

impl fmt::Display for Report {
    /// A table in Markdown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| guarantee | {} |\n| --- | --- |", self.system)?;
        for Row { guarantee, verdict, broken } in &self.rows {
            let verdict = match (broken, verdict) {
                (Some(broken), _) => format!("BROKEN: {broken}"),
                (None, Verdict::Holds) => "holds".to_owned(),
                (None, Verdict::Emulated) => "emulated".to_owned(),
                (None, Verdict::NotGuaranteed) => "not guaranteed".to_owned(),
            };
            writeln!(f, "| {guarantee:?} | {verdict} |")?;
        }
        Ok(())
    }
}

/// Runs the suite, one promise after the other, each on queues of its own whose names begin with
/// `prefix`. It takes some seconds.
pub async fn run(engine: &dyn Engine, prefix: &str) -> Report {
    let transport = engine.transport();
    let mut rows = Vec::new();
    for guarantee in Guarantee::ALL {
        let verdict = transport.guarantee(guarantee);
        let broken = match verdict {
            Verdict::NotGuaranteed => None,
            Verdict::Holds | Verdict::Emulated => match Bench::new(engine, prefix, guarantee).await {
                Ok(bench) => tried(guarantee, &bench).await.err(),
                Err(error) => Some(error),
            }
            .map(|bench::Broken(text)| text),
        };
        rows.push(Row { guarantee, verdict, broken });
    }
    Report { system: transport.system(), rows }
}

async fn tried(guarantee: Guarantee, bench: &Bench<'_>) -> bench::Checked {
    match guarantee {
        Guarantee::DurableConfirm => publishing::durable_confirm(bench).await,
        Guarantee::UnroutableIsAnError => publishing::unroutable_is_an_error(bench).await,
        Guarantee::BatchOrder => publishing::batch_order(bench).await,
        Guarantee::Deduplication => publishing::deduplication(bench).await,
        Guarantee::FanOut => publishing::fan_out(bench).await,
        Guarantee::VerbatimData => publishing::verbatim_data(bench).await,
        Guarantee::CompetingConsumers => delivering::competing_consumers(bench).await,
        Guarantee::OrderByKey => delivering::order_by_key(bench).await,
        Guarantee::LeaseExpiry => delivering::lease_expiry(bench).await,
        Guarantee::LeaseExtension => delivering::lease_extension(bench).await,
        Guarantee::RepeatableReceive => delivering::repeatable_receive(bench).await,
        Guarantee::AtMostOnce => delivering::at_most_once(bench).await,
        Guarantee::FencedReceipts => settling::fenced_receipts(bench).await,
        Guarantee::CountedDeliveries => settling::counted_deliveries(bench).await,
        Guarantee::NackDelay => settling::nack_delay(bench).await,
        Guarantee::UncountedGiveBack => settling::uncounted_give_back(bench).await,
        Guarantee::DeadLetterWithReason => settling::dead_letter_with_reason(bench).await,
    }
}
