//! Invariant 3: a cancelled order keeps no money (nothing authorized, or voided, or what was captured
//! refunded in full) and no stock, and its customer was told: of a refund just where there was one.

use super::{
    Fault,
    apart::Apart,
    seen::{Operation, Order, ReservationState, Seen, Status},
};

pub(super) fn judge(seen: &Seen, apart: &Apart) -> Vec<Fault> {
    let cancelled = seen.orders.iter().filter(|order| order.status == Status::Cancelled);
    let judged = cancelled.filter(|order| !apart.names(&order.id));
    judged
        .flat_map(|order| [money(seen, order), goods(seen, order), mails(seen, order)].into_iter().flatten())
        .collect()
}

/// What the gateway holds or keeps of an order's money, from the operations it carried out.
fn money(seen: &Seen, order: &Order) -> Option<Fault> {
    let sum = |operation| {
        let done = seen.ledger_of(&order.id).filter(move |entry| entry.operation == operation);
        done.fold((0, 0), |(times, amount), entry| (times + 1, amount + entry.amount.amount))
    };
    let (authorized, captured) = (sum(Operation::Authorize), sum(Operation::Capture));
    let (voided, refunded) = (sum(Operation::Void), sum(Operation::Refund));
    let what = if authorized.0 > 1 || captured.0 > 1 || refunded.0 > 1 {
        "was charged or refunded more than once".to_owned()
    } else if captured.1 != refunded.1 {
        format!("{} minor units were captured and {} refunded", captured.1, refunded.1)
    } else if authorized.0 > 0 && captured.0 == 0 && voided.0 == 0 {
        format!("{} minor units are still held", authorized.1)
    } else {
        return None;
    };
    Some(Fault::new(&order.id, what))
}

fn goods(seen: &Seen, order: &Order) -> Option<Fault> {
    let state = seen.reservations.get(&order.id)?.state;
    let held = matches!(state, ReservationState::Reserved | ReservationState::Committed);
    held.then(|| Fault::new(&order.id, format!("its reservation is {state:?}")))
}

/// One that was confirmed before it was cancelled was also told that.
fn mails(seen: &Seen, order: &Order) -> Option<Fault> {
    let refunded = seen.ledger_of(&order.id).any(|entry| entry.operation == Operation::Refund);
    let wanted = [
        ("order-cancelled", true),
        ("order-confirmed", order.was_confirmed()),
        ("order-received", true),
        ("order-refunded", refunded),
    ];
    let wanted: Vec<_> = wanted.into_iter().filter_map(|(kind, due)| due.then_some(kind)).collect();
    seen.wrong_mails(&order.id, &wanted)
}
