//! What the sandbox's books allow, operation by operation.

use events::{Money, OrderId};

use super::*;
use crate::gateway::{IdempotencyKey, Reference};

fn instruction(operation: Operation, method: &str) -> Instruction {
    let order_id = OrderId::default();
    Instruction {
        key: IdempotencyKey(operation.name().to_owned()),
        operation,
        reference: Reference("r".to_owned()),
        order_id,
        amount: Money::eur(1200),
        method: method.to_owned(),
    }
}

fn books(operations: &[Operation]) -> Books {
    let entries = operations
        .iter()
        .map(|operation| (Entry::Carried(*operation), operation.name().to_owned(), Money::eur(1200)));
    Books { entries: entries.collect(), failures: 0 }
}

fn decide(books: &Books, operation: Operation, method: &str) -> Verdict {
    books.decide(&instruction(operation, method))
}

#[test]
fn each_operation_is_carried_out_only_where_the_drawing_has_an_arrow() {
    use Operation::{Authorize, Capture, Refund, Void};
    let states: [(&[Operation], &[Operation]); 6] = [
        (&[], &[Authorize, Void]),
        (&[Authorize], &[Capture, Void]),
        (&[Authorize, Capture], &[Refund]),
        (&[Authorize, Void], &[]),
        (&[Void], &[]),
        (&[Authorize, Capture, Refund], &[]),
    ];
    for (done, allowed) in states {
        for operation in Operation::ALL {
            let said = decide(&books(done), operation, "pm_card_visa");
            let wanted = if done.contains(&operation) {
                Verdict::CarriedOutBefore
            } else if allowed.contains(&operation) {
                Verdict::CarriedOut { then_silent: false }
            } else {
                assert!(matches!(said, Verdict::Refused(_)), "{operation} after {done:?}: {said:?}");
                continue;
            };
            assert_eq!(said, wanted, "{operation} after {done:?}");
        }
    }
}

#[test]
fn a_second_authorization_under_another_key_is_refused() {
    let mut again = instruction(Operation::Authorize, "pm_card_visa");
    again.key = IdempotencyKey("another".to_owned());
    assert!(matches!(books(&[Operation::Authorize]).decide(&again), Verdict::Refused(_)));
}

#[test]
fn a_key_means_one_operation_and_one_amount() {
    let mut other = instruction(Operation::Capture, "pm_card_visa");
    other.key = IdempotencyKey("authorize".to_owned());
    assert!(matches!(books(&[Operation::Authorize]).decide(&other), Verdict::Refused(_)));
    let mut dearer = instruction(Operation::Authorize, "pm_card_visa");
    dearer.amount = Money::eur(1300);
    assert!(matches!(books(&[Operation::Authorize]).decide(&dearer), Verdict::Refused(_)));
}

#[test]
fn a_declined_card_stays_declined_and_an_unknown_method_is_declined() {
    for (method, reason) in [
        ("pm_card_chargeDeclined", "card_declined"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_nobody_knows", "unknown_payment_method"),
    ] {
        let said = decide(&Books::default(), Operation::Authorize, method);
        assert_eq!(said, Verdict::Declined(reason.to_owned()));
        let line = (Entry::Declined(reason.to_owned()), "authorize".to_owned(), Money::eur(1200));
        let closed = Books { entries: vec![line], failures: 0 };
        assert_eq!(closed.standing(), Standing::Declined);
        assert_eq!(decide(&closed, Operation::Authorize, method), Verdict::Declined(reason.to_owned()));
        assert!(matches!(decide(&closed, Operation::Void, method), Verdict::Refused(_)));
    }
}

#[test]
fn a_method_that_fails_twice_works_the_third_time_and_one_that_is_unavailable_never() {
    for (failures, works) in [(0, false), (1, false), (2, true)] {
        let books = Books { entries: vec![], failures };
        let said = decide(&books, Operation::Authorize, "pm_sandbox_failTwice");
        let wanted = if works { Verdict::CarriedOut { then_silent: false } } else { Verdict::Unavailable };
        assert_eq!(said, wanted);
        let said = decide(&books, Operation::Authorize, "pm_sandbox_unavailable");
        assert_eq!(said, Verdict::Unavailable);
    }
}

#[test]
fn test_methods_act_on_the_authorization_only() {
    for method in ["pm_sandbox_unavailable", "pm_sandbox_timeoutAfterAuthorize", "pm_card_chargeDeclined"] {
        let said = decide(&books(&[Operation::Authorize]), Operation::Capture, method);
        assert_eq!(said, Verdict::CarriedOut { then_silent: false });
    }
}
