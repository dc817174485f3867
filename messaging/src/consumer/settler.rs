//! Settles in batches: while one call is in flight, what else is to be settled waits and goes with the
//! next. While the broker is away it tries again, for as long as a lease may still be good.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::mpsc, task::JoinHandle};

use crate::{
    outage::Outage,
    transport::{Receipt, Settle, Settled, Settlement, Transport, TransportError},
};

/// How many go in one call.
const MAX_BATCH: usize = 1000;
/// How long a settlement is tried: a broker that starts again keeps leases for up to 30 s. After that
/// the message comes again, and the inbox knows it.
const TRY_FOR: Duration = Duration::from_secs(30);

pub(super) struct Settler {
    orders: mpsc::UnboundedSender<Order>,
    task: JoinHandle<()>,
}

struct Order {
    settlement: Settlement,
    since: Instant,
}

/// What became of an extension.
pub(super) struct Extended {
    pub(super) receipt: Receipt,
    pub(super) settled: Settled,
    pub(super) asked: Instant,
}

impl Settler {
    /// Starts one for that queue, and gives where to hear of extensions. What is to be settled is
    /// bounded by what is held, so that the line needs no bound of its own.
    pub(super) fn start(
        transport: Arc<dyn Transport>,
        queue: String,
    ) -> (Self, mpsc::UnboundedReceiver<Extended>) {
        let (orders, received) = mpsc::unbounded_channel();
        let (tell, extended) = mpsc::unbounded_channel();
        let run = Run { transport, queue, tell, outage: Outage::new("settling") };
        (Self { orders, task: tokio::spawn(run.run(received)) }, extended)
    }

    pub(super) fn settle(&self, receipt: Receipt, settle: Settle) {
        let order = Order { settlement: Settlement { receipt, settle }, since: Instant::now() };
        // The task ends only after this sender is dropped.
        let _ = self.orders.send(order);
    }

    /// Waits until all is settled, at most so long.
    pub(super) async fn finish(self, limit: Duration) {
        drop(self.orders);
        let abort = self.task.abort_handle();
        if tokio::time::timeout(limit, self.task).await.is_err() {
            abort.abort();
        }
    }
}

struct Run {
    transport: Arc<dyn Transport>,
    queue: String,
    tell: mpsc::UnboundedSender<Extended>,
    outage: Outage,
}

impl Run {
    async fn run(mut self, mut received: mpsc::UnboundedReceiver<Order>) {
        let mut batch = Vec::new();
        while received.recv_many(&mut batch, MAX_BATCH).await > 0 {
            while let Some(pause) = self.call(&mut batch).await {
                tokio::time::sleep(pause).await;
                batch.retain(|order| order.since.elapsed() < TRY_FOR);
                while batch.len() < MAX_BATCH
                    && let Ok(order) = received.try_recv()
                {
                    batch.push(order);
                }
            }
        }
    }

    /// Settles the batch and empties it; or tells how long to wait before trying it again.
    async fn call(&mut self, batch: &mut Vec<Order>) -> Option<Duration> {
        if batch.is_empty() {
            return None;
        }
        let (settlements, since): (Vec<_>, Vec<_>) =
            batch.drain(..).map(|order| (order.settlement, order.since)).unzip();
        match self.transport.settle(&self.queue, &settlements).await {
            Ok(results) => {
                self.outage.over();
                for ((settlement, since), settled) in settlements.into_iter().zip(since).zip(results) {
                    self.note(settlement, since, settled);
                }
                None
            }
            Err(error @ (TransportError::Refused(_) | TransportError::Conflict(_))) => {
                tracing::error!(queue = self.queue, error = %error, "settlements_refused");
                None
            }
            Err(error) => {
                let orders = settlements.into_iter().zip(since);
                batch.extend(orders.map(|(settlement, since)| Order { settlement, since }));
                Some(self.outage.failed(&error, error.retry_after()))
            }
        }
    }

    fn note(&self, settlement: Settlement, since: Instant, settled: Settled) {
        let Settlement { receipt, settle } = settlement;
        if let Settle::Extend { .. } = settle {
            // The consumer may have ended.
            let _ = self.tell.send(Extended { receipt, settled, asked: since });
        } else if settled == Settled::LeaseLost {
            tracing::info!(queue = self.queue, receipt = receipt.as_str(), "lease_lost");
        }
    }
}
