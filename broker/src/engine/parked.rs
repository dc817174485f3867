//! Receives that found nothing and wait: first come, first served, a line a queue.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::{Duration, Instant},
};

use broker_core::{command::Receive, identity::QueueId};
use tokio::sync::oneshot;

use super::handout::Handout;
use crate::error::BrokerError;

/// A receive and whom to answer.
pub(crate) struct Waiter {
    /// What it asks for.
    pub(crate) receive: Receive,
    /// Until when it waits for a message; `None` when it takes what is there.
    pub(crate) until: Option<Instant>,
    /// Whom to answer.
    pub(crate) reply: oneshot::Sender<Result<Handout, BrokerError>>,
}

impl Waiter {
    pub(crate) fn new(
        receive: Receive,
        wait: Duration,
        reply: oneshot::Sender<Result<Handout, BrokerError>>,
    ) -> Self {
        let until = (!wait.is_zero()).then(|| Instant::now() + wait);
        Self { receive, until, reply }
    }
}

/// The number of a parked receive, in order of arrival.
pub(crate) type Ticket = u64;

/// All parked receives.
#[derive(Default)]
pub(crate) struct Parked {
    next: Ticket,
    lines: HashMap<QueueId, BTreeMap<Ticket, Waiter>>,
    deadlines: BTreeSet<(Instant, QueueId, Ticket)>,
}

impl Parked {
    /// Parks a receive at the end of its queue's line.
    pub(crate) fn park(&mut self, queue: QueueId, until: Instant, waiter: Waiter) {
        let ticket = self.next;
        self.next += 1;
        self.put(queue, ticket, until, waiter);
    }

    /// Puts a receive back in its old place in line.
    pub(crate) fn put(&mut self, queue: QueueId, ticket: Ticket, until: Instant, waiter: Waiter) {
        self.deadlines.insert((until, queue, ticket));
        self.lines.entry(queue).or_default().insert(ticket, waiter);
    }

    /// Takes out the first in a queue's line whose caller is still there.
    pub(crate) fn next_in(&mut self, queue: QueueId) -> Option<(Ticket, Waiter)> {
        let line = self.lines.get_mut(&queue)?;
        while let Some((ticket, waiter)) = line.pop_first() {
            if let Some(until) = waiter.until {
                self.deadlines.remove(&(until, queue, ticket));
            }
            if !waiter.reply.is_closed() {
                return Some((ticket, waiter));
            }
        }
        self.lines.remove(&queue);
        None
    }

    /// Takes out one whose time is over.
    pub(crate) fn next_overdue(&mut self, now: Instant) -> Option<Waiter> {
        let (until, queue, ticket) = *self.deadlines.first()?;
        if until > now {
            return None;
        }
        self.deadlines.pop_first();
        let line = self.lines.get_mut(&queue)?;
        let waiter = line.remove(&ticket);
        if line.is_empty() {
            self.lines.remove(&queue);
        }
        waiter
    }

    /// When the first of them is overdue.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(until, ..)| *until)
    }

    /// Takes all out.
    pub(crate) fn take_all(&mut self) -> Vec<Waiter> {
        self.deadlines.clear();
        self.lines.drain().flat_map(|(_, line)| line.into_values()).collect()
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.deadlines.len()
    }
}
