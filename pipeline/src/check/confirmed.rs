//! Invariant 2: a confirmed order has exactly one authorization and one capture, of exactly its total,
//! and no void or refund; a committed reservation of exactly its lines; and the two mails that say so.

use super::{
    Fault,
    apart::Apart,
    seen::{Operation, Order, ReservationState, Seen, Status},
};

pub(super) fn judge(seen: &Seen, apart: &Apart) -> Vec<Fault> {
    let confirmed = seen.orders.iter().filter(|order| order.status == Status::Confirmed);
    let judged = confirmed.filter(|order| !apart.names(&order.id));
    judged
        .flat_map(|order| money(seen, order).into_iter().chain(goods(seen, order)).chain(mails(seen, order)))
        .collect()
}

fn money(seen: &Seen, order: &Order) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (operation, wanted) in
        [(Operation::Authorize, 1), (Operation::Capture, 1), (Operation::Void, 0), (Operation::Refund, 0)]
    {
        let done: Vec<_> = seen.ledger_of(&order.id).filter(|entry| entry.operation == operation).collect();
        if done.len() != wanted {
            let what = format!("has {} x {operation:?} in the ledger, not {wanted}", done.len());
            faults.push(Fault::new(&order.id, what));
        }
        for entry in done.iter().filter(|entry| entry.amount != order.total) {
            let what = format!("{operation:?} of {} for a total of {}", entry.amount, order.total);
            faults.push(Fault::new(&order.id, what));
        }
    }
    faults
}

fn goods(seen: &Seen, order: &Order) -> Vec<Fault> {
    let Some(reservation) = seen.reservations.get(&order.id) else {
        return vec![Fault::new(&order.id, "has no reservation")];
    };
    let mut faults = Vec::new();
    if reservation.state != ReservationState::Committed {
        faults.push(Fault::new(&order.id, format!("its reservation is {:?}", reservation.state)));
    }
    if sorted(&reservation.lines) != sorted(&order.lines) {
        faults.push(Fault::new(&order.id, "its reservation is not of its lines"));
    }
    faults
}

fn sorted(lines: &[super::Line]) -> Vec<&super::Line> {
    let mut lines: Vec<_> = lines.iter().collect();
    lines.sort();
    lines
}

fn mails(seen: &Seen, order: &Order) -> Option<Fault> {
    seen.wrong_mails(&order.id, &["order-confirmed", "order-received"])
}
