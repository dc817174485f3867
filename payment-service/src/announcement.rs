//! What this service tells the others, as events for its outbox.

use events::{CaptureFailed, PaymentDeclined, kind};
use messaging::Event;
use serde::Serialize;

use crate::{
    payment::{Announcement, Payment},
    store::Stored,
};

/// Who tells it.
pub const SOURCE: &str = "/payment-service";

/// The event that tells it.
#[must_use]
pub fn event(stored: &Stored, announcement: &Announcement) -> Event {
    let payment = &stored.payment;
    let event = match announcement {
        Announcement::Authorized => plain(kind::PAYMENT_AUTHORIZED, payment),
        Announcement::Captured => plain(kind::PAYMENT_CAPTURED, payment),
        Announcement::Voided => plain(kind::PAYMENT_VOIDED, payment),
        Announcement::Refunded => plain(kind::PAYMENT_REFUNDED, payment),
        Announcement::Declined(reason) => made(
            kind::PAYMENT_DECLINED,
            &PaymentDeclined { order_id: payment.order_id, amount: payment.amount, reason: reason.clone() },
        ),
        Announcement::CaptureFailed(reason) => made(
            kind::PAYMENT_CAPTURE_FAILED,
            &CaptureFailed { order_id: payment.order_id, amount: payment.amount, reason: reason.clone() },
        ),
    };
    stored.cause.of_which(event, payment.order_id.to_string())
}

fn plain(kind: &str, payment: &Payment) -> Event {
    let data = events::Payment {
        order_id: payment.order_id,
        customer: payment.customer.clone(),
        amount: payment.amount,
    };
    made(kind, &data)
}

fn made(kind: &str, data: &impl Serialize) -> Event {
    Event::new(SOURCE, kind, data)
}
