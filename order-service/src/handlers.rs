//! What order-service does with each event that it hears: one function an event, from its data to the
//! saga's input and a word for the timeline. All else is the same for each: `store` carries it out.

use std::time::Duration;

use async_trait::async_trait;
use events::{
    CaptureFailed, Fact, OrderId, Payment, PaymentDeclined, StockRejected, StockReleased, StockReserved,
};
use messaging::{Event, Failure, Handler};
use units::Timestamp;

use crate::{
    deadline,
    saga::{Input, PaymentHeard, Queue, StockHeard},
    store::{Change, Outcome, Store, StoreError},
};

/// Hears one of order-service's queues.
#[derive(Debug)]
pub struct Hearing {
    store: Store,
    queue: Queue,
    grace: Duration,
}

/// What an event means to the saga: to which order, what, and what there is to say of it.
type Meaning = (OrderId, Input, Option<String>);

impl Hearing {
    /// Hears that queue. `grace` is the time that compensations have.
    #[must_use]
    pub const fn new(store: Store, queue: Queue, grace: Duration) -> Self {
        Self { store, queue, grace }
    }

    /// What an event means, or `None` when it is not for us.
    fn meaning(&self, event: &Event) -> Result<Option<Meaning>, Failure> {
        if let Some(order) = deadline::marked(event) {
            return Ok(Some((order, Input::DeadlineMark(self.queue), None)));
        }
        Ok(match events::parse(event).map_err(Failure::permanent)? {
            Fact::StockReserved(data) => Some(stock_reserved(&data)),
            Fact::StockRejected(data) => Some(stock_rejected(&data)),
            Fact::StockReleased(data) => Some(stock_released(&data)),
            Fact::PaymentAuthorized(data) => Some(payment_authorized(&data)),
            Fact::PaymentDeclined(data) => Some(payment_declined(&data)),
            Fact::PaymentCaptured(data) => Some(payment_captured(&data)),
            Fact::PaymentCaptureFailed(data) => Some(payment_capture_failed(&data)),
            Fact::PaymentVoided(data) => Some(payment_voided(&data)),
            Fact::PaymentRefunded(data) => Some(payment_refunded(&data)),
            Fact::OrderPlaced(_) | Fact::OrderConfirmed(_) | Fact::OrderCancelled(_) => None,
        })
    }
}

#[async_trait]
impl Handler for Hearing {
    async fn handle(&self, event: &Event) -> Result<(), Failure> {
        let Some((order, input, detail)) = self.meaning(event)? else { return Ok(()) };
        let what = match input {
            Input::DeadlineMark(_) => "deadline-passed",
            _ => event.kind(),
        };
        let change =
            Change { order, input, what: what.to_owned(), detail, at: Timestamp::now(), traceparent: None };
        if let Outcome::Decided(decision) = self.store.hear(event, change, self.grace).await? {
            tracing::debug!(order_id = %order, what = event.kind(), remark = ?decision.remark, "heard");
        }
        Ok(())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unreadable { .. } | StoreError::NoSuchOrder(_) => Self::permanent(error),
            error => Self::transient(error),
        }
    }
}

const fn stock_reserved(data: &StockReserved) -> Meaning {
    (data.order_id, Input::Stock(StockHeard::Reserved), None)
}

fn stock_rejected(data: &StockRejected) -> Meaning {
    let short: Vec<&str> = data.short.iter().map(events::Sku::as_str).collect();
    let detail = format!("too little of {}", short.join(", "));
    (data.order_id, Input::Stock(StockHeard::Rejected), Some(detail))
}

const fn stock_released(data: &StockReleased) -> Meaning {
    (data.order_id, Input::Stock(StockHeard::Released), None)
}

fn payment_authorized(data: &Payment) -> Meaning {
    (data.order_id, Input::Payment(PaymentHeard::Authorized), Some(data.amount.to_string()))
}

fn payment_declined(data: &PaymentDeclined) -> Meaning {
    (data.order_id, Input::Payment(PaymentHeard::Declined), Some(data.reason.clone()))
}

fn payment_captured(data: &Payment) -> Meaning {
    (data.order_id, Input::Payment(PaymentHeard::Captured), Some(data.amount.to_string()))
}

fn payment_capture_failed(data: &CaptureFailed) -> Meaning {
    (data.order_id, Input::Payment(PaymentHeard::CaptureFailed), Some(data.reason.clone()))
}

fn payment_voided(data: &Payment) -> Meaning {
    (data.order_id, Input::Payment(PaymentHeard::Voided), Some(data.amount.to_string()))
}

fn payment_refunded(data: &Payment) -> Meaning {
    (data.order_id, Input::Payment(PaymentHeard::Refunded), Some(data.amount.to_string()))
}
