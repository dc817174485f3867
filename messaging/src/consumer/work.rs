//! The consumer's loop: begins what is held, asks for more, settles what ended, extends what lasts.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::mpsc,
    task::{JoinError, JoinSet},
    time::MissedTickBehavior,
};
use tokio_util::sync::CancellationToken;
use units::Timestamp;

use super::{
    Handler, Promise, Settings,
    attempt::{self, Finished, Outcome},
    held::{Held, Task},
    leases::Leases,
    pace::{Attempted, Counting, Pace},
    receiver::Receiver,
    settler::{Extended, Settler},
};
use crate::{
    failure::Failure,
    status::Report,
    transport::{Delivery, Settle, Transport, TransportError},
};

/// How long the last settlements may take after a shutdown.
const FLUSH_LIMIT: Duration = Duration::from_secs(2);

pub(super) struct Work {
    settings: Arc<Settings>,
    system: &'static str,
    handler: Arc<dyn Handler>,
    report: Report,
    receiver: Receiver,
    settler: Settler,
    extended: mpsc::UnboundedReceiver<Extended>,
    held: Held,
    running: JoinSet<Finished>,
    leases: Leases,
    pace: Pace,
}

impl Work {
    pub(super) fn new(
        settings: Settings,
        transport: Arc<dyn Transport>,
        handler: Arc<dyn Handler>,
        report: Report,
    ) -> Self {
        let (settler, extended) = Settler::start(Arc::clone(&transport), settings.queue.clone());
        Self {
            system: transport.system(),
            handler,
            report,
            receiver: Receiver::new(transport, settings.clone()),
            settler,
            extended,
            held: Held::default(),
            running: JoinSet::new(),
            leases: Leases::new(settings.lease),
            pace: Pace::full(),
            settings: Arc::new(settings),
        }
    }

    pub(super) async fn run(mut self, shutdown: CancellationToken) {
        let mut look = tokio::time::interval(self.leases.look_every());
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.begin();
            self.ask();
            let probe =
                self.pace.next_probe().filter(|_| !self.receiver.is_asking() && self.outstanding() == 0);
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(finished) = self.running.join_next() => self.finish(finished),
                answer = self.receiver.answer() => self.arrived(answer),
                Some(extended) = self.extended.recv() => {
                    self.leases.extended(&extended.receipt, extended.settled, extended.asked);
                }
                _ = look.tick() => self.extend(),
                () = sleep_until(probe) => {}
            }
        }
        self.wind_up().await;
    }

    fn outstanding(&self) -> usize {
        self.held.len() + self.running.len()
    }

    /// Begins what can be: as many as may run at once, one of a key.
    fn begin(&mut self) {
        while self.running.len() < self.settings.concurrency {
            let Some(task) = self.held.next() else { return };
            let now = Instant::now();
            if task.receipt.as_ref().is_some_and(|receipt| !self.leases.is_good(receipt, now)) {
                // Another has it by now, or will: what this one did would be done twice.
                self.leases_end(&task);
                self.held.free(&task.event);
                continue;
            }
            let attempted = if self.pace.is_probing() { Attempted::AsProbe } else { Attempted::AtFullPace };
            let (handler, settings, system) =
                (Arc::clone(&self.handler), Arc::clone(&self.settings), self.system);
            self.running
                .spawn(async move { attempt::run(&*handler, task, attempted, system, &settings).await });
        }
    }

    /// Asks for more once half of what may be held is free: few requests, and handlers never wait.
    fn ask(&mut self) {
        if self.pace.is_probing() {
            let due = self.pace.next_probe().is_some_and(|next| next <= Instant::now());
            if due && self.outstanding() == 0 {
                self.receiver.ask(1);
            }
            return;
        }
        let capacity = match self.settings.promise {
            Promise::AtLeastOnce => self.settings.concurrency * 2,
            // What is held at a crash is lost: so little is.
            Promise::AtMostOnce => self.settings.concurrency,
        };
        if self.outstanding() <= capacity / 2 {
            self.receiver.ask(capacity - self.outstanding());
        }
    }

    fn arrived(&mut self, answer: Result<Vec<Delivery>, TransportError>) {
        match answer {
            Ok(deliveries) => {
                // With nothing to probe with, there is nothing that fails.
                if !self.pace.is_probing() || deliveries.is_empty() {
                    self.report.well();
                }
                let now = Instant::now();
                deliveries.into_iter().for_each(|delivery| self.take(delivery, now));
            }
            Err(error) => {
                self.report.trouble(error.to_string());
            }
        }
    }

    /// Holds a delivery; but one alone when probing, and what is no event is a dead letter at once.
    fn take(&mut self, delivery: Delivery, now: Instant) {
        let left = delivery.lease.as_ref().map(|lease| lease.expires_at.since(Timestamp::now()));
        let receipt = delivery.lease.map(|lease| lease.receipt);
        let event = match delivery.event {
            Ok(event) => event,
            Err(error) => {
                tracing::error!(queue = self.settings.queue, error = %error, "event_unreadable");
                self.count("unreadable");
                if let Some(receipt) = receipt {
                    self.settler.settle(receipt, Settle::DeadLetter { reason: error.to_string() });
                }
                return;
            }
        };
        let task = Task { event, receipt, delivery_count: delivery.delivery_count };
        if let Some(receipt) = &task.receipt {
            if self.pace.is_probing() && self.outstanding() > 0 {
                return self.give_back(&task, None);
            }
            self.leases.take(receipt.clone(), left.unwrap_or_default(), now);
        }
        self.held.push(task);
    }

    /// What became of an attempt.
    fn finish(&mut self, finished: Result<Finished, JoinError>) {
        // Panics are caught within; an attempt is aborted only after this loop has ended.
        let Ok(finished) = finished else { return };
        self.held.free(&finished.task.event);
        self.count(finished.outcome.name());
        metrics::histogram!("consumer_handle_seconds", "queue" => self.settings.queue.clone())
            .record(finished.took.as_secs_f64());
        self.log(&finished);
        let Finished { task, attempted, outcome, .. } = finished;
        match outcome {
            Outcome::Handled => {
                self.succeeded();
                self.settle(&task, Settle::Ack);
            }
            Outcome::Failed(Failure::Permanent(cause)) => {
                let reason = Failure::Permanent(cause).reason();
                self.settle(&task, Settle::DeadLetter { reason });
            }
            Outcome::Failed(Failure::Throttled { after, cause }) => {
                self.failed(&task, attempted, &Failure::throttled(after, cause).reason());
                self.give_back(&task, Some(after));
                self.give_back_behind(&task);
            }
            Outcome::Failed(failure) => self.failed_for_now(&task, attempted, failure.reason()),
            Outcome::Panicked(reason) => self.failed_for_now(&task, attempted, reason),
        }
    }

    fn succeeded(&mut self) {
        if self.pace.is_probing() {
            tracing::info!(queue = self.settings.queue, "probing_ended");
            self.report.well();
        }
        self.pace.succeeded();
    }

    /// It comes again: after the queue's backoff, or at once and uncounted where the fault is not its own.
    fn failed_for_now(&mut self, task: &Task, attempted: Attempted, reason: String) {
        match self.failed(task, attempted, &reason) {
            Counting::Counted => self.settle(task, Settle::Nack { delay: None, reason }),
            Counting::Uncounted => self.give_back(task, None),
        }
        self.give_back_behind(task);
    }

    /// Notes a failure. Where it makes the consumer probe, all that it holds goes back.
    fn failed(&mut self, task: &Task, attempted: Attempted, reason: &str) -> Counting {
        let identity = (task.event.source().to_owned(), task.event.id().to_owned());
        let was_probing = self.pace.is_probing();
        let counting = self.pace.failed(identity, attempted, Instant::now());
        if self.pace.is_probing() && !was_probing {
            tracing::warn!(queue = self.settings.queue, error = reason, "probing_began");
            self.report.trouble(format!("everything fails, trying one at a time: {reason}"));
            self.give_back_held();
        }
        counting
    }

    /// At most once, nothing can go back: what is held is tried.
    fn give_back_held(&mut self) {
        if self.settings.promise == Promise::AtLeastOnce {
            self.receiver.stop_asking();
            let held: Vec<Task> = self.held.drain().collect();
            held.iter().for_each(|task| self.give_back(task, None));
        }
    }

    fn give_back_behind(&mut self, task: &Task) {
        if self.settings.promise == Promise::AtLeastOnce {
            let behind = self.held.behind(&task.event);
            behind.iter().for_each(|task| self.give_back(task, None));
        }
    }

    fn give_back(&mut self, task: &Task, delay: Option<Duration>) {
        self.settle(task, Settle::GiveBack { delay });
    }

    fn settle(&mut self, task: &Task, settle: Settle) {
        self.leases_end(task);
        if let Some(receipt) = &task.receipt {
            self.settler.settle(receipt.clone(), settle);
        }
    }

    fn leases_end(&mut self, task: &Task) {
        if let Some(receipt) = &task.receipt {
            self.leases.end(receipt);
        }
    }

    fn extend(&mut self) {
        let lease = self.settings.lease;
        for receipt in self.leases.due(Instant::now()) {
            self.settler.settle(receipt, Settle::Extend { lease });
        }
    }

    fn count(&self, outcome: &'static str) {
        metrics::counter!("consumer_deliveries_total", "queue" => self.settings.queue.clone(), "outcome" => outcome)
            .increment(1);
    }

    fn log(&self, finished: &Finished) {
        let Some(error) = finished.outcome.error() else { return };
        let event = &finished.task.event;
        tracing::warn!(
            queue = self.settings.queue,
            message_id = event.id(),
            event_type = event.kind(),
            partition_key = event.partition_key(),
            delivery_count = finished.task.delivery_count,
            outcome = finished.outcome.name(),
            error,
            "handling_failed"
        );
    }

    /// Shutdown: what was not begun goes back at once, what runs may finish within the grace, the rest
    /// goes back then.
    async fn wind_up(mut self) {
        self.give_back_held();
        for delivery in self.receiver.left_over(FLUSH_LIMIT).await {
            match delivery.lease {
                Some(lease) => self.settler.settle(lease.receipt, Settle::GiveBack { delay: None }),
                None => self.take(delivery, Instant::now()),
            }
        }
        let grace = tokio::time::Instant::now() + self.settings.grace;
        let mut look = tokio::time::interval(self.leases.look_every());
        while self.outstanding() > 0 {
            self.begin();
            tokio::select! {
                Some(finished) = self.running.join_next() => self.finish(finished),
                Some(extended) = self.extended.recv() => {
                    self.leases.extended(&extended.receipt, extended.settled, extended.asked);
                }
                _ = look.tick() => self.extend(),
                () = tokio::time::sleep_until(grace) => break,
            }
        }
        self.running.shutdown().await;
        for receipt in self.leases.drain() {
            self.settler.settle(receipt, Settle::GiveBack { delay: None });
        }
        self.settler.finish(FLUSH_LIMIT).await;
        self.report.trouble("stopped".to_owned());
    }
}

/// Never, where there is no time.
async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
