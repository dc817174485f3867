//! The slugs of this service's own problems, in one table; a retired one is never used again.

use operations::outbox::OUTBOX_ROW_NOT_FOUND;
use serve::problem::Slug;

/// There is no such SKU.
pub const STOCK_NOT_FOUND: Slug = Slug {
    name: "stock-not-found",
    status: 404,
    title: "There is no stock of this SKU",
    help: "inventory-service keeps no stock of this SKU. GET /stock lists what it keeps; PUT /stock/SKU adds one.",
};

/// The service has not heard of the order.
pub const RESERVATION_NOT_FOUND: Slug = Slug {
    name: "reservation-not-found",
    status: 404,
    title: "There is no reservation of this order",
    help: "inventory-service has not heard of an order with this id (yet): it hears of it through the broker, shortly after it was placed.",
};

/// Less on hand than is held.
pub const BELOW_RESERVED: Slug = Slug {
    name: "below-reserved",
    status: 409,
    title: "More than that is reserved",
    help: "Orders that are not confirmed yet hold more pieces than that. Nothing was changed: set at least as many as are reserved, or wait until they are committed or released.",
};

/// All of them.
pub const TABLE: &[&Slug] =
    &[&STOCK_NOT_FOUND, &RESERVATION_NOT_FOUND, &BELOW_RESERVED, &OUTBOX_ROW_NOT_FOUND];
