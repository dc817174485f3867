//! The leases of a queue: one for each receive that handed out messages, when each wants to be looked at,
//! and which `receive_id` it answered. What an expired delivery means is the queue's business.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use units::Timestamp;

use crate::{
    change::LeaseRecord,
    identity::{LeaseId, Sequence},
    number_map::NumberMap,
};

/// How long a lease that was live when the broker stopped runs again at the most.
pub(crate) const LONGEST_AFTER_RESTART: Duration = Duration::from_secs(30);

/// One receive that handed out messages.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) receive_id: Option<Arc<str>>,
    pub(crate) consumer: Option<Arc<str>>,
    pub(crate) leased_at: Timestamp,
    /// The length on record: that of the latest extend, or a longer one while several deliveries are open.
    pub(crate) length: Duration,
    /// All it handed out; those that ended are told by their copies.
    pub(crate) sequences: Vec<Sequence>,
    /// How many of them are still leased under it.
    open: usize,
    /// No delivery of it runs out before.
    due: Timestamp,
}

/// The leases of one queue.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    by_id: NumberMap<LeaseId, Lease>,
    by_due: BTreeSet<(Timestamp, LeaseId)>,
    by_receive_id: BTreeMap<Arc<str>, LeaseId>,
}

impl Leases {
    /// Takes up a lease of which `open` deliveries are under way until `expires_at`.
    pub(crate) fn insert(&mut self, record: LeaseRecord, open: usize, expires_at: Timestamp) {
        let LeaseRecord { id, receive_id, consumer, leased_at, length, sequences, .. } = record;
        if let Some(receive_id) = &receive_id {
            self.by_receive_id.insert(Arc::clone(receive_id), id);
        }
        self.by_due.insert((expires_at, id));
        let lease = Lease { receive_id, consumer, leased_at, length, sequences, open, due: expires_at };
        self.by_id.insert(id, lease);
    }

    pub(crate) fn get(&self, id: LeaseId) -> &Lease {
        self.by_id.get(&id).expect("a leased copy names a lease that is open")
    }

    /// The latest lease that a `receive_id` was given, while any of it is open.
    pub(crate) fn of_receive(&self, receive_id: &str) -> Option<LeaseId> {
        self.by_receive_id.get(receive_id).copied()
    }

    /// One delivery ended. Returns whether the lease is over with it.
    pub(crate) fn end_delivery(&mut self, id: LeaseId) -> bool {
        let lease = self.by_id.get_mut(&id).expect("a leased copy names a lease that is open");
        lease.open -= 1;
        if lease.open > 0 {
            return false;
        }
        self.by_due.remove(&(lease.due, id));
        if let Some(receive_id) = &lease.receive_id
            && self.by_receive_id.get(receive_id) == Some(&id)
        {
            self.by_receive_id.remove(receive_id);
        }
        self.by_id.remove(&id);
        true
    }

    /// A delivery of it runs out at another time now. Returns the length to be recorded, where it changed: the
    /// one record is for all its deliveries, none of which may end too early when the core is made again.
    pub(crate) fn extend(
        &mut self,
        id: LeaseId,
        length: Duration,
        expires_at: Timestamp,
    ) -> Option<Duration> {
        if expires_at < self.get(id).due {
            self.look_again(id, expires_at);
        }
        let lease = self.by_id.get_mut(&id).expect("a leased copy names a lease that is open");
        let length = if lease.open > 1 { lease.length.max(length) } else { length };
        (std::mem::replace(&mut lease.length, length) != length).then_some(length)
    }

    /// When a lease wants to be looked at next.
    pub(crate) fn next_due(&self) -> Option<(Timestamp, LeaseId)> {
        self.by_due.first().copied()
    }

    /// Sets when a lease is looked at again.
    pub(crate) fn look_again(&mut self, id: LeaseId, at: Timestamp) {
        let lease = self.by_id.get_mut(&id).expect("only open leases are looked at");
        self.by_due.remove(&(lease.due, id));
        lease.due = at;
        self.by_due.insert((at, id));
    }
}
