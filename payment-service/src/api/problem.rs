//! The slugs of this service's own problems, in one table; a retired one is never used again.

use operations::outbox::OUTBOX_ROW_NOT_FOUND;
use serve::problem::Slug;

/// The service has not heard of the order.
pub const PAYMENT_NOT_FOUND: Slug = Slug {
    name: "payment-not-found",
    status: 404,
    title: "There is no payment of this order",
    help: "payment-service has not heard of an order with this id (yet): it hears of it through the broker, shortly after it was placed. GET /payments lists those that it knows.",
};

/// All of them.
pub const TABLE: &[&Slug] = &[&PAYMENT_NOT_FOUND, &OUTBOX_ROW_NOT_FOUND];
