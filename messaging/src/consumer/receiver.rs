//! Asks the broker for deliveries, one request at a time. An answer that was lost is asked for again
//! under the same id, so that what it held is not.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::time::Instant;
use uuid::Uuid;

use super::{Promise, Settings};
use crate::{
    outage::Outage,
    transport::{Delivery, Mode, Receive, Transport, TransportError},
};

/// How long the broker is asked to wait for a first message.
const WAIT: Duration = Duration::from_secs(20);
/// The same, where what is handed out is gone: a request is then never given up, so that it must be short.
const WAIT_AT_MOST_ONCE: Duration = Duration::from_secs(1);

type Answer = Result<Vec<Delivery>, TransportError>;

pub(super) struct Receiver {
    transport: Arc<dyn Transport>,
    settings: Settings,
    receive_id: String,
    in_flight: Option<BoxFuture<'static, Answer>>,
    /// Whether the broker may hold deliveries under the current id that we never saw.
    unanswered: bool,
    outage: Outage,
    /// After a failure: not before.
    not_before: Option<Instant>,
    connected: bool,
}

impl Receiver {
    pub(super) fn new(transport: Arc<dyn Transport>, settings: Settings) -> Self {
        Self {
            transport,
            settings,
            receive_id: new_id(),
            in_flight: None,
            unanswered: false,
            outage: Outage::new("receiving"),
            not_before: None,
            connected: false,
        }
    }

    pub(super) const fn is_asking(&self) -> bool {
        self.in_flight.is_some()
    }

    /// Asks for up to `max`, unless it asks already. The first answer, and that after an outage, is not
    /// waited for, so that it shows soon that the broker is there.
    pub(super) fn ask(&mut self, max: usize) {
        if self.is_asking() {
            return;
        }
        let wait = match self.settings.promise {
            _ if !self.connected => Duration::ZERO,
            Promise::AtLeastOnce => WAIT,
            Promise::AtMostOnce => WAIT_AT_MOST_ONCE,
        };
        self.in_flight = Some(self.request(max, wait));
        self.unanswered = true;
    }

    fn request(&self, max: usize, wait: Duration) -> BoxFuture<'static, Answer> {
        let transport = Arc::clone(&self.transport);
        let queue = self.settings.queue.clone();
        let mode = match self.settings.promise {
            Promise::AtLeastOnce => {
                Mode::Leased { lease: self.settings.lease, receive_id: self.receive_id.clone() }
            }
            Promise::AtMostOnce => Mode::AtMostOnce,
        };
        let receive = Receive { max, wait, consumer: self.settings.name.clone(), mode };
        let not_before = self.not_before;
        Box::pin(async move {
            if let Some(not_before) = not_before {
                tokio::time::sleep_until(not_before).await;
            }
            transport.receive(&queue, &receive).await
        })
    }

    /// The answer to what was asked; never where nothing was. Safe to stop waiting for.
    pub(super) async fn answer(&mut self) -> Answer {
        let Some(in_flight) = &mut self.in_flight else { return std::future::pending().await };
        let answer = in_flight.await;
        self.in_flight = None;
        match &answer {
            Ok(_) => {
                self.receive_id = new_id();
                self.unanswered = false;
                self.not_before = None;
                self.connected = true;
                self.outage.over();
            }
            Err(error) => {
                self.connected = false;
                self.not_before = Some(Instant::now() + self.outage.failed(error, error.retry_after()));
            }
        }
        answer
    }

    /// Stops asking. What the broker hands out all the same comes with the next answer.
    pub(super) fn stop_asking(&mut self) {
        self.in_flight = None;
    }

    /// What the broker may have handed out to a request that was given up: asked for at the end, so that
    /// it can be handed back. At most once, what was asked for is waited for.
    pub(super) async fn left_over(&mut self, limit: Duration) -> Vec<Delivery> {
        if !self.unanswered || self.outage.lasts() {
            return Vec::new();
        }
        let last = match (self.settings.promise, self.in_flight.take()) {
            (Promise::AtMostOnce, Some(in_flight)) => in_flight,
            (Promise::AtMostOnce, None) => return Vec::new(),
            (Promise::AtLeastOnce, _) => self.request(1, Duration::ZERO),
        };
        // What does not come in time comes again when its lease runs out.
        tokio::time::timeout(limit, last).await.ok().and_then(Result::ok).unwrap_or_default()
    }
}

fn new_id() -> String {
    Uuid::now_v7().to_string()
}
