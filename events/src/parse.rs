//! From an event's type and data to the fact it tells.

use messaging::event::Event;
use serde::de::DeserializeOwned;

use crate::{
    CaptureFailed, Order, OrderCancelled, OrderId, Payment, PaymentDeclined, StockRejected, StockReleased,
    StockReserved, kind,
};

/// One fact of the domain.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Fact {
    OrderPlaced(Order),
    OrderConfirmed(Order),
    OrderCancelled(OrderCancelled),
    StockReserved(StockReserved),
    StockRejected(StockRejected),
    StockReleased(StockReleased),
    PaymentAuthorized(Payment),
    PaymentDeclined(PaymentDeclined),
    PaymentCaptured(Payment),
    PaymentCaptureFailed(CaptureFailed),
    PaymentVoided(Payment),
    PaymentRefunded(Payment),
}

/// Why an event is none of ours. Both are permanent: the event is a dead letter at once.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// Its type is not in the list.
    #[error("unknown event type {0:?}")]
    UnknownType(String),
    /// Its data does not have the shape of its type.
    #[error("the data of {kind:?} is not what its type says")]
    WrongData {
        /// The type.
        kind: String,
        /// What is wrong.
        source: serde_json::Error,
    },
}

/// Tells which fact an event carries.
///
/// # Errors
/// [`ParseError`] for a type that this crate does not know, or data that is not of that type.
pub fn parse(event: &Event) -> Result<Fact, ParseError> {
    Ok(match event.kind() {
        kind::ORDER_PLACED => Fact::OrderPlaced(data(event)?),
        kind::ORDER_CONFIRMED => Fact::OrderConfirmed(data(event)?),
        kind::ORDER_CANCELLED => Fact::OrderCancelled(data(event)?),
        kind::STOCK_RESERVED => Fact::StockReserved(data(event)?),
        kind::STOCK_REJECTED => Fact::StockRejected(data(event)?),
        kind::STOCK_RELEASED => Fact::StockReleased(data(event)?),
        kind::PAYMENT_AUTHORIZED => Fact::PaymentAuthorized(data(event)?),
        kind::PAYMENT_DECLINED => Fact::PaymentDeclined(data(event)?),
        kind::PAYMENT_CAPTURED => Fact::PaymentCaptured(data(event)?),
        kind::PAYMENT_CAPTURE_FAILED => Fact::PaymentCaptureFailed(data(event)?),
        kind::PAYMENT_VOIDED => Fact::PaymentVoided(data(event)?),
        kind::PAYMENT_REFUNDED => Fact::PaymentRefunded(data(event)?),
        unknown => return Err(ParseError::UnknownType(unknown.to_owned())),
    })
}

fn data<T: DeserializeOwned>(event: &Event) -> Result<T, ParseError> {
    serde_json::from_slice(event.data())
        .map_err(|source| ParseError::WrongData { kind: event.kind().to_owned(), source })
}

impl Fact {
    /// The order that it is about.
    #[must_use]
    pub const fn order_id(&self) -> OrderId {
        match self {
            Self::OrderPlaced(order) | Self::OrderConfirmed(order) => order.order_id,
            Self::OrderCancelled(cancelled) => cancelled.order.order_id,
            Self::StockReserved(stock) => stock.order_id,
            Self::StockRejected(stock) => stock.order_id,
            Self::StockReleased(stock) => stock.order_id,
            Self::PaymentAuthorized(payment)
            | Self::PaymentCaptured(payment)
            | Self::PaymentVoided(payment)
            | Self::PaymentRefunded(payment) => payment.order_id,
            Self::PaymentDeclined(declined) => declined.order_id,
            Self::PaymentCaptureFailed(failed) => failed.order_id,
        }
    }
}
