//! Invariant 1: every order that was answered 202 is there, and confirmed or cancelled.

use std::collections::HashSet;

use super::{
    Answered, Fault,
    apart::Apart,
    seen::{Seen, Status},
};

pub(super) fn judge(seen: &Seen, apart: &Apart, answered: &Answered) -> Vec<Fault> {
    let known: HashSet<&str> = seen.orders.iter().map(|order| order.id.as_str()).collect();
    let lost = answered.orders().filter(|order| !known.contains(order));
    let lost = lost.map(|order| Fault::new(order, "was answered 202 and is not there"));
    let pending = seen.orders.iter().filter(|order| order.status == Status::Pending);
    let pending = pending.filter(|order| !apart.names(&order.id));
    let pending = pending.map(|order| Fault::new(&order.id, "is still pending"));
    lost.chain(pending).collect()
}
