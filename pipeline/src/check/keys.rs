//! Invariant 5: the same `Idempotency-Key` never makes two orders. Seen from the clients, whose every
//! answer under a key must name one order; and from order-service, where each order stands under a key
//! of its own: an order without one was made beside another under the same key.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{Answered, Fault, seen::Seen};

pub(super) fn judge(seen: &Seen, answered: &Answered) -> Vec<Fault> {
    let mut orders_by_key = BTreeMap::<&str, BTreeSet<&str>>::new();
    for (key, orders) in answered.by_key() {
        orders_by_key.entry(key).or_default().extend(orders.iter().map(String::as_str));
    }
    for stored in &seen.keys {
        orders_by_key.entry(&stored.key).or_default().insert(&stored.order_id);
    }
    let doubled = orders_by_key.iter().filter(|(_, orders)| orders.len() > 1);
    let doubled = doubled.flat_map(|(key, orders)| {
        orders
            .iter()
            .map(move |order| Fault::new(order, format!("is one of {} of the key {key:?}", orders.len())))
    });
    doubled.chain(without_key(seen)).collect()
}

fn without_key(seen: &Seen) -> impl Iterator<Item = Fault> {
    let keyed: HashSet<&str> = seen.keys.iter().map(|key| key.order_id.as_str()).collect();
    let keyless = seen.orders.iter().filter(move |order| !keyed.contains(order.id.as_str()));
    keyless.map(|order| Fault::new(&order.id, "stands under no key"))
}
