//! The slugs of this service's own problems, in one table; a retired one is never used again.

use serve::problem::{INTERNAL, Problem, Slug};

/// The service has not heard of the order.
pub const PAYMENT_NOT_FOUND: Slug = Slug {
    name: "payment-not-found",
    status: 404,
    title: "There is no payment of this order",
    help: "payment-service has not heard of an order with this id (yet): it hears of it through the broker, shortly after it was placed. GET /payments lists those that it knows.",
};

/// Nothing of that id was set aside.
pub const OUTBOX_ROW_NOT_FOUND: Slug = Slug {
    name: "outbox-row-not-found",
    status: 404,
    title: "No event of this id is set aside",
    help: "Only events that the broker refused for good can be sent again or deleted; GET /outbox lists them under set_aside.",
};

/// All of them.
pub const TABLE: &[&Slug] = &[&PAYMENT_NOT_FOUND, &OUTBOX_ROW_NOT_FOUND];

/// The problem of a database that does not do what it should.
pub(super) fn broken(error: &dyn std::error::Error) -> Problem {
    tracing::error!(error = %error, "database_failed");
    Problem::new(&INTERNAL)
}
