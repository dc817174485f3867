//! What a receive hands out, and the guard that gives it back when nobody takes it.

use std::{mem, sync::Arc};

use broker_core::{
    command::{Nack, NackKind, Receive},
    identity::{Name, Receipt},
    reply::Delivered,
};
use bytes::Bytes;
use serve::budget::{Budget, Share};

use super::line::{Item, Line};

/// One delivery with all that its answer shows.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// What the core says of it.
    pub delivered: Delivered,
    /// The stored event: structured-mode JSON, as it stands in `message`.
    pub record: Bytes,
    /// Why it last failed, where it failed before and a reason was given.
    pub last_reason: Option<Arc<str>>,
}

/// What a receive handed out; empty when there was nothing.
#[derive(Debug)]
pub struct Handout {
    /// In the order in which they are to be worked on.
    pub deliveries: Vec<Delivery>,
    /// Keep it, or the messages go back.
    pub guard: GiveBack,
    /// Their share of the memory of all answers, to be held until they are written.
    pub share: Share,
}

impl Handout {
    pub(super) fn new(receive: &Receive, taken: Taken, line: &Arc<Line>) -> Self {
        let Taken { deliveries, share } = taken;
        let guard = GiveBack::new(receive, &deliveries, line);
        Self { deliveries, guard, share }
    }
}

/// What was taken out of a queue, with its share of the memory of all answers.
pub(super) struct Taken {
    pub(super) deliveries: Vec<Delivery>,
    share: Share,
}

impl Taken {
    pub(super) fn nothing(answers: &Budget) -> Self {
        Self { deliveries: Vec::new(), share: answers.share() }
    }

    /// The deliveries are in memory already: what is left was asked for before.
    pub(super) fn new(deliveries: Vec<Delivery>, answers: &Budget) -> Self {
        let mut share = answers.share();
        share.force(deliveries.iter().map(|delivery| delivery.record.len()).sum());
        Self { deliveries, share }
    }
}

/// Gives what was handed out back uncounted when it is dropped before [`Self::keep`]. Of a receive with
/// a `receive_id`, or that acks by itself, it gives nothing back.
pub struct GiveBack {
    queue: Name,
    receipts: Vec<Receipt>,
    line: Arc<Line>,
}

impl GiveBack {
    fn new(receive: &Receive, deliveries: &[Delivery], line: &Arc<Line>) -> Self {
        let asked_again = receive.receive_id.is_some() || receive.auto_ack;
        let receipts = if asked_again {
            Vec::new()
        } else {
            deliveries.iter().filter_map(|delivery| delivery.delivered.receipt).collect()
        };
        Self { queue: receive.queue.clone(), receipts, line: Arc::clone(line) }
    }

    /// These of the deliveries go back at once: there was no room for them in the answer.
    pub fn give_back(&self, receipts: Vec<Receipt>) {
        if !receipts.is_empty() {
            let queue = self.queue.clone();
            let nack = Nack { queue, receipts, delay: None, reason: None, kind: NackKind::Uncounted };
            self.line.push_own(Item::GiveBack(nack));
        }
    }

    /// The deliveries have reached (or are on their way to) who asked for them.
    pub fn keep(&mut self) {
        self.receipts.clear();
    }
}

impl Drop for GiveBack {
    fn drop(&mut self) {
        let receipts = mem::take(&mut self.receipts);
        self.give_back(receipts);
    }
}

impl std::fmt::Debug for GiveBack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GiveBack")
            .field("queue", &self.queue)
            .field("receipts", &self.receipts.len())
            .finish()
    }
}
