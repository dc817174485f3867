//! The words of each mail: its subject and its text. No addresses, no headers.

use std::fmt::Write;

use events::{CancelReason, Fact, Order, OrderCancelled, Payment};

/// What a mail says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// One line.
    pub subject: String,
    /// Plain text.
    pub body: String,
}

impl Letter {
    /// The words for a fact; `None` for one that no customer needs to know of.
    #[must_use]
    pub fn about(fact: &Fact) -> Option<Self> {
        Some(match fact {
            Fact::OrderPlaced(order) => received(order),
            Fact::OrderConfirmed(order) => confirmed(order),
            Fact::OrderCancelled(cancelled) => cancelled_because(cancelled),
            Fact::PaymentRefunded(payment) => refunded(payment),
            _ => return None,
        })
    }
}

fn received(order: &Order) -> Letter {
    Letter {
        subject: format!("We have your order {}", order.order_id),
        body: format!(
            "Hello {},\n\nthank you, we have your order and are checking stock and payment now.\n\n{}",
            order.customer.name,
            bill(order)
        ),
    }
}

fn confirmed(order: &Order) -> Letter {
    Letter {
        subject: format!("Your order {} is confirmed", order.order_id),
        body: format!(
            "Hello {},\n\nyour order is paid and on its way to you.\n\n{}",
            order.customer.name,
            bill(order)
        ),
    }
}

fn cancelled_because(cancelled: &OrderCancelled) -> Letter {
    let OrderCancelled { order, reason } = cancelled;
    Letter {
        subject: format!("Your order {} is cancelled", order.order_id),
        body: format!(
            "Hello {},\n\nyour order is cancelled: {} ({}).\nYou pay nothing for it; what was charged goes back to you.\n\n{}",
            order.customer.name,
            explain(*reason),
            reason.as_str(),
            bill(order)
        ),
    }
}

fn refunded(payment: &Payment) -> Letter {
    Letter {
        subject: format!("Your money for order {} is on its way back", payment.order_id),
        body: format!(
            "Hello {},\n\nwe have refunded {} for your order {}.\n",
            payment.customer.name, payment.amount, payment.order_id
        ),
    }
}

const fn explain(reason: CancelReason) -> &'static str {
    match reason {
        CancelReason::PaymentDeclined => "your card was declined",
        CancelReason::PaymentFailed => "the payment could not be taken",
        CancelReason::OutOfStock => "something in it is out of stock",
        CancelReason::DeadlinePassed => "we could not complete it in time",
        CancelReason::CancelledByCustomer => "you asked for it",
    }
}

fn bill(order: &Order) -> String {
    let mut bill = format!("Order {}\n\n", order.order_id);
    for line in &order.lines {
        // Writing to a String can't fail.
        let _ = writeln!(bill, "{:>5} x {}  at {}", line.quantity, line.name, line.price);
    }
    let _ = writeln!(bill, "\nTotal: {}", order.total);
    bill
}
