//! The events that the services exchange, and the topology they travel on; nothing else. Every service
//! declares the whole [`topology`] before it publishes or receives, so nothing is set up by hand.

mod money;
mod order;
mod parse;
mod payment;
mod stock;
mod topology;

pub use money::{Currency, InvalidCurrency, Money};
pub use order::{CancelReason, Customer, Line, Order, OrderCancelled, OrderId};
pub use parse::{Fact, ParseError, parse};
pub use payment::{CaptureFailed, Payment, PaymentDeclined};
pub use stock::{Sku, StockLine, StockRejected, StockReleased, StockReserved};
pub use topology::{queue, topic, topology};

/// The types of the events, as they stand in CloudEvents `type`.
pub mod kind {
    /// An order was taken: data is [`Order`](crate::Order).
    pub const ORDER_PLACED: &str = "order.placed";
    /// Stock and money are there: data is [`Order`](crate::Order).
    pub const ORDER_CONFIRMED: &str = "order.confirmed";
    /// The order will not be: data is [`OrderCancelled`](crate::OrderCancelled).
    pub const ORDER_CANCELLED: &str = "order.cancelled";
    /// All lines are reserved: data is [`StockReserved`](crate::StockReserved).
    pub const STOCK_RESERVED: &str = "stock.reserved";
    /// Some line is not to be had: data is [`StockRejected`](crate::StockRejected).
    pub const STOCK_REJECTED: &str = "stock.rejected";
    /// What was reserved is free again: data is [`StockReleased`](crate::StockReleased).
    pub const STOCK_RELEASED: &str = "stock.released";
    /// The amount is held: data is [`Payment`](crate::Payment).
    pub const PAYMENT_AUTHORIZED: &str = "payment.authorized";
    /// The card was refused: data is [`PaymentDeclined`](crate::PaymentDeclined).
    pub const PAYMENT_DECLINED: &str = "payment.declined";
    /// The amount was taken: data is [`Payment`](crate::Payment).
    pub const PAYMENT_CAPTURED: &str = "payment.captured";
    /// The amount can't be taken, for good: data is [`CaptureFailed`](crate::CaptureFailed).
    pub const PAYMENT_CAPTURE_FAILED: &str = "payment.capture-failed";
    /// What was held is free again: data is [`Payment`](crate::Payment).
    pub const PAYMENT_VOIDED: &str = "payment.voided";
    /// What was taken was given back: data is [`Payment`](crate::Payment).
    pub const PAYMENT_REFUNDED: &str = "payment.refunded";
}
