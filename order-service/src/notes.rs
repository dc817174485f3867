//! What is written into an order's timeline and attention for each step that the saga decided: in words
//! for whoever looks at the order later. Nothing is decided here.

use crate::{
    order::{Attention, Happening},
    saga::{Announcement, Decision, Input, Owed, Remark},
    store::Change,
};

/// The `what` of an attention for a compensation that was not heard of in time.
pub(crate) const OVERDUE: &str = "compensation-overdue";
/// The `what` of an attention for news that does not fit a confirmed order.
const CONTRADICTION: &str = "contradiction";

/// The timeline's entries for a step: what was heard or asked for, then what was done.
#[must_use]
pub(crate) fn happenings(change: &Change, decision: &Decision) -> Vec<Happening> {
    let heard = is_worth_telling(change, decision).then(|| Happening {
        at: change.at,
        what: change.what.clone(),
        detail: detail(change, decision.remark),
    });
    let done = decision.announce.map(|announcement| match announcement {
        Announcement::Confirmed => {
            Happening { at: change.at, what: events::kind::ORDER_CONFIRMED.to_owned(), detail: None }
        }
        Announcement::Cancelled(reason) => Happening {
            at: change.at,
            what: events::kind::ORDER_CANCELLED.to_owned(),
            detail: Some(reason.as_str().to_owned()),
        },
    });
    heard.into_iter().chain(done).collect()
}

/// All that the other services say is told. Of the clock and the customer only what had an effect.
fn is_worth_telling(change: &Change, decision: &Decision) -> bool {
    match change.input {
        Input::Stock(_) | Input::Payment(_) => true,
        Input::DeadlineMark(_) | Input::Cancel => decision.announce.is_some(),
        Input::CompensationDue => matches!(decision.remark, Remark::Overdue(_)),
    }
}

fn detail(change: &Change, remark: Remark) -> Option<String> {
    let said = change.detail.clone();
    let ours = match remark {
        Remark::Taken | Remark::Undone => return said,
        Remark::NoEffect => "recorded, no effect",
        Remark::AfterCancel => "recorded, no effect: the order is cancelled, this will be undone",
        Remark::Contradicts => "recorded, no effect: the order is confirmed, a person has to look",
        Remark::Overdue(owed) => overdue(owed),
    };
    Some(said.map_or_else(|| ours.to_owned(), |said| format!("{said} ({ours})")))
}

const fn overdue(owed: Owed) -> &'static str {
    match owed {
        Owed::Stock => "stock.released was not heard in time: look at inventory.orders' dead letters",
        Owed::Money => {
            "neither payment.voided nor payment.refunded was heard in time: look at payment.orders' dead letters"
        }
        Owed::Both => {
            "neither stock.released nor payment.voided or payment.refunded was heard in time: look at the \
             dead letters of inventory.orders and payment.orders"
        }
    }
}

/// What needs a person after a step: what needed one before, with what is new, without what is settled.
#[must_use]
pub(crate) fn attention(mut before: Vec<Attention>, change: &Change, decision: &Decision) -> Vec<Attention> {
    if decision.next.owed().is_none() {
        before.retain(|attention| attention.what != OVERDUE);
    }
    let new = match decision.remark {
        Remark::Overdue(owed) => Some((OVERDUE, overdue(owed).to_owned())),
        Remark::Contradicts => Some((CONTRADICTION, format!("{} came for a confirmed order", change.what))),
        Remark::Taken | Remark::NoEffect | Remark::AfterCancel | Remark::Undone => None,
    };
    if let Some((what, detail)) = new {
        before.push(Attention { at: change.at, what: what.to_owned(), detail });
    }
    before
}

#[cfg(test)]
mod tests {
    use events::OrderId;
    use units::Timestamp;

    use super::*;
    use crate::saga::{PaymentHeard, State, StockHeard, decide};

    fn change(what: &str, input: Input) -> Change {
        let at = Timestamp::from_millis(1);
        Change { order: OrderId::new(), input, what: what.to_owned(), detail: None, at, traceparent: None }
    }

    fn told(state: &State, change: &Change) -> Vec<(String, Option<String>)> {
        let happenings = happenings(change, &decide(state, change.input));
        happenings.into_iter().map(|happening| (happening.what, happening.detail)).collect()
    }

    #[test]
    fn a_step_tells_what_was_heard_and_then_what_was_done() {
        let reserved = State { stock: StockHeard::Reserved, ..State::PLACED };
        let change = change("payment.authorized", Input::Payment(PaymentHeard::Authorized));
        let expected = [("payment.authorized".to_owned(), None), ("order.confirmed".to_owned(), None)];
        assert_eq!(told(&reserved, &change), expected);
    }

    #[test]
    fn what_came_twice_is_told_as_without_effect() {
        let reserved = State { stock: StockHeard::Reserved, ..State::PLACED };
        let change = change("stock.reserved", Input::Stock(StockHeard::Reserved));
        let expected = [("stock.reserved".to_owned(), Some("recorded, no effect".to_owned()))];
        assert_eq!(told(&reserved, &change), expected);
    }

    #[test]
    fn an_overdue_compensation_needs_a_person_until_it_is_heard_of() {
        let cancelled = decide(
            &State { payment: PaymentHeard::Authorized, ..State::PLACED },
            Input::Stock(StockHeard::Rejected),
        )
        .next;
        let due = change("deadline", Input::CompensationDue);
        let waiting = attention(vec![], &due, &decide(&cancelled, due.input));
        assert_eq!(waiting.len(), 1);
        assert_eq!(waiting[0].what, OVERDUE);
        let voided = change("payment.voided", Input::Payment(PaymentHeard::Voided));
        assert!(attention(waiting, &voided, &decide(&cancelled, voided.input)).is_empty());
    }
}
