//! The one table of topics, queues and subscriptions.

use messaging::topology::{OnFull, QueueSpec, SubscriptionSpec, Topology};

use crate::kind;

/// The topics.
pub mod topic {
    /// What order-service tells.
    pub const ORDERS: &str = "orders";
    /// What inventory-service tells.
    pub const STOCK: &str = "stock";
    /// What payment-service tells.
    pub const PAYMENTS: &str = "payments";
}

/// The queues: each named by who listens and to what.
pub mod queue {
    #![allow(missing_docs)]
    pub const INVENTORY_ORDERS: &str = "inventory.orders";
    pub const PAYMENT_ORDERS: &str = "payment.orders";
    pub const EMAIL_ORDERS: &str = "email.orders";
    pub const EMAIL_PAYMENTS: &str = "email.payments";
    pub const ANALYTICS_ORDERS: &str = "analytics.orders";
    pub const ANALYTICS_PAYMENTS: &str = "analytics.payments";
    pub const ORDER_STOCK: &str = "order.stock";
    pub const ORDER_PAYMENTS: &str = "order.payments";
}

/// Whose work must not be lost is ordered by key and stops the publisher when full; who only counts
/// may miss some.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Listener {
    Works,
    Counts,
}

/// Topic, queue, who listens, and the types of events that are of no use there: those alone, so that a type
/// that nobody knows is still noticed everywhere.
const TABLE: [(&str, &str, Listener, &[&str]); 8] = [
    (topic::ORDERS, queue::INVENTORY_ORDERS, Listener::Works, &[]),
    (topic::ORDERS, queue::PAYMENT_ORDERS, Listener::Works, &[]),
    (topic::ORDERS, queue::EMAIL_ORDERS, Listener::Works, &[]),
    (topic::ORDERS, queue::ANALYTICS_ORDERS, Listener::Counts, &[]),
    (topic::STOCK, queue::ORDER_STOCK, Listener::Works, &[]),
    (topic::PAYMENTS, queue::ORDER_PAYMENTS, Listener::Works, &[]),
    (topic::PAYMENTS, queue::EMAIL_PAYMENTS, Listener::Works, NOT_MAILED),
    (topic::PAYMENTS, queue::ANALYTICS_PAYMENTS, Listener::Counts, NOT_COUNTED),
];

/// Of the payments, customers are mailed of refunds alone.
const NOT_MAILED: &[&str] = &[
    kind::PAYMENT_AUTHORIZED,
    kind::PAYMENT_DECLINED,
    kind::PAYMENT_CAPTURED,
    kind::PAYMENT_CAPTURE_FAILED,
    kind::PAYMENT_VOIDED,
];

/// Counted is the money that was taken or given back.
const NOT_COUNTED: &[&str] =
    &[kind::PAYMENT_AUTHORIZED, kind::PAYMENT_DECLINED, kind::PAYMENT_CAPTURE_FAILED, kind::PAYMENT_VOIDED];

/// All topics, queues and subscriptions of the pipeline.
#[must_use]
pub fn topology() -> Topology {
    let mut topology = Topology::default();
    for (topic, queue, listener, without_types) in TABLE {
        let works = listener == Listener::Works;
        if !topology.topics.iter().any(|known| known == topic) {
            topology.topics.push(topic.to_owned());
        }
        topology.queues.push(QueueSpec { name: queue.to_owned(), ordered_by_key: works });
        topology.subscriptions.push(SubscriptionSpec {
            topic: topic.to_owned(),
            queue: queue.to_owned(),
            on_full: if works { OnFull::Reject } else { OnFull::Drop },
            without_types: without_types.iter().map(|&kind| kind.to_owned()).collect(),
        });
    }
    topology
}
