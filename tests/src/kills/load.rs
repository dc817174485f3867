//! All clients at once, over one run of the broker.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::task::JoinSet;

use super::{account::Account, caller::Caller, consumer::Consumer, publisher::Publisher, topology::QUEUES};

/// How many publishers there are: of each destination one that publishes one by one, and one in batches.
const PUBLISHERS: u64 = 8;
/// How many consumers a queue has.
const CONSUMERS: u64 = 2;

/// What all clients share.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub(super) account: Arc<Account>,
    pub(super) stop: Arc<AtomicBool>,
    /// How many bytes a message has beside its number.
    pub(super) filler: usize,
    /// Whether 507 is an answer to be expected.
    pub(super) may_be_full: bool,
    /// How many messages of a queue may be open before publishers wait for the consumers.
    pub(super) most_open: usize,
    /// How long a consumer now and then stands still with deliveries in hand.
    pub(super) slow_consumer: Option<Duration>,
}

impl Shared {
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// The clients between two rounds.
#[derive(Debug)]
pub(super) struct Clients {
    publishers: Vec<Publisher>,
    pub(super) consumers: Vec<Consumer>,
}

/// The clients at work.
#[derive(Debug)]
pub(super) struct Working {
    stop: Arc<AtomicBool>,
    publishers: JoinSet<Publisher>,
    consumers: JoinSet<Consumer>,
}

impl Clients {
    pub(super) fn new(seed: u64) -> Self {
        let publishers = (0..PUBLISHERS).map(|place| Publisher::new(place, seed.wrapping_add(place)));
        let queues = (0..QUEUES.len()).flat_map(|queue| (0..CONSUMERS).map(move |n| (queue, n)));
        let seeds = (1000..).map(|n| seed.wrapping_add(n));
        let consumers = queues.zip(seeds).map(|((queue, _), seed)| Consumer::new(queue, seed));
        Self { publishers: publishers.collect(), consumers: consumers.collect() }
    }

    /// No publisher sends again what was not answered.
    pub(super) fn give_up(self, account: &Account) {
        self.publishers.into_iter().for_each(|publisher| publisher.give_up(account));
    }

    /// Sets them to work on one run of the broker.
    pub(super) fn work(self, caller: &Caller, shared: &Shared) -> Working {
        shared.stop.store(false, Ordering::Relaxed);
        let (mut publishers, mut consumers) = (JoinSet::new(), JoinSet::new());
        for publisher in self.publishers {
            publishers.spawn(publisher.run(caller.clone(), shared.clone()));
        }
        for consumer in self.consumers {
            consumers.spawn(consumer.run(caller.clone(), shared.clone()));
        }
        Working { stop: Arc::clone(&shared.stop), publishers, consumers }
    }
}

impl Working {
    /// Waits until each has ended what it was about, or got no answer.
    pub(super) async fn stop(self) -> Clients {
        self.stop.store(true, Ordering::Relaxed);
        Clients { publishers: self.publishers.join_all().await, consumers: self.consumers.join_all().await }
    }
}
