//! Invariant 4: of each SKU, what was received is on hand or committed; what is reserved is what orders
//! hold that are not settled; and no more is promised than there is.

use std::collections::{HashMap, HashSet};

use super::{
    Fault,
    apart::Apart,
    seen::{ReservationState, Seen, Status, StockItem},
};

pub(super) fn judge(seen: &Seen, apart: &Apart) -> Vec<Fault> {
    let held = held(seen, apart);
    seen.stock
        .iter()
        .flat_map(|item| faults(item, held.get(item.sku.as_str()).copied().unwrap_or(0)))
        .collect()
}

/// How many of each SKU are reserved for orders that may hold some: those that are pending, and those
/// that are set apart.
fn held<'a>(seen: &'a Seen, apart: &Apart) -> HashMap<&'a str, i64> {
    let settled: HashSet<&str> = seen
        .orders
        .iter()
        .filter(|order| order.status != Status::Pending && !apart.names(&order.id))
        .map(|order| order.id.as_str())
        .collect();
    let mut held = HashMap::new();
    for (order, reservation) in &seen.reservations {
        if reservation.state == ReservationState::Reserved && !settled.contains(order.as_str()) {
            for line in &reservation.lines {
                *held.entry(line.sku.as_str()).or_default() += line.quantity;
            }
        }
    }
    held
}

fn faults(item: &StockItem, held: i64) -> Vec<Fault> {
    let StockItem { on_hand, reserved, available, received, committed, .. } = *item;
    let broken = [
        (
            received != on_hand + committed,
            format!("{received} received, but {on_hand} on hand and {committed} committed"),
        ),
        (reserved != held, format!("{reserved} reserved, but orders hold {held}")),
        (
            available != on_hand - reserved,
            format!("{available} available of {on_hand} on hand with {reserved} reserved"),
        ),
        (available < 0, format!("{available} available")),
    ];
    broken.into_iter().filter(|(broken, _)| *broken).map(|(_, what)| Fault::new(&item.sku, what)).collect()
}
