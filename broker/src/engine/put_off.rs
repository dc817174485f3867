//! What a group leaves to the next one, so that none takes long: receives that have very much in their way that
//! has expired.

use std::collections::BTreeSet;

use broker_core::identity::QueueId;

use super::{
    Engine,
    group::{Decided, Place},
    handout::Taken,
    parked::Waiter,
};

/// How many expired messages the receives of one group clear out of their way: some milliseconds' work.
const MOST_EXPIRED: usize = 1000;

/// What is to be tried again in the next group.
#[derive(Default)]
pub(super) struct PutOff {
    /// Where the parked receives are to be tried again.
    pub(super) queues: BTreeSet<QueueId>,
    /// Receives that do not wait, in their order.
    pub(super) receives: Vec<Waiter>,
    /// How many expired messages the group under way may still clear.
    pub(super) left: usize,
}

impl PutOff {
    /// Whether there is nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.queues.is_empty() && self.receives.is_empty()
    }
}

impl Engine {
    /// Begins a group: the parked receives that were put off are woken, and there is time again to clear what
    /// has expired.
    pub(super) fn try_again(&mut self) {
        self.put_off.left = MOST_EXPIRED;
        if !self.is_paused() {
            self.effects.woken.extend(std::mem::take(&mut self.put_off.queues));
        }
    }

    /// Leaves a receive to the next group. One whose time is over is answered with nothing.
    pub(super) fn put_off(&mut self, waiter: Waiter, place: Place) -> Option<Decided> {
        let queue = self.core.queue(&waiter.receive.queue).map(|queue| queue.id);
        let Some(waiter) = self.park(waiter, place) else {
            self.put_off.queues.extend(queue);
            return None;
        };
        if self.draining || waiter.until.is_some() {
            return Some(Decided::Receive { waiter, place, result: Ok(Taken::nothing(&self.answers)) });
        }
        self.put_off.receives.push(waiter);
        None
    }
}
