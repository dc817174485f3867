//! The problems of this service's own, and how a failing store becomes one.

use operations::outbox::OUTBOX_ROW_NOT_FOUND;
use serve::problem::{Problem, Slug};

use crate::store::StoreError;

macro_rules! slugs {
    ($($constant:ident $name:literal $status:literal $title:literal $help:literal)*) => {
        $(#[doc = $title] pub const $constant: Slug =
            Slug { name: $name, status: $status, title: $title, help: $help };)*
        /// The slugs of this service.
        pub const TABLE: &[&Slug] = &[$(&$constant,)* &OUTBOX_ROW_NOT_FOUND];
    };
}

slugs! {
    ORDER_NOT_FOUND "order-not-found" 404 "There is no such order"
        "No order has this id. GET /orders lists those that there are."
    ALREADY_CANCELLED "already-cancelled" 409 "The order is cancelled already"
        "The order was cancelled before; its `reason` says why. Nothing was changed."
    IDEMPOTENCY_KEY_MISSING "idempotency-key-missing" 400 "The Idempotency-Key is missing"
        "POST /orders needs the header Idempotency-Key: a value of your own for each order, such as a UUID, and the same for each retry. Nothing was changed."
    IDEMPOTENCY_KEY_REUSED "idempotency-key-reused" 422 "The Idempotency-Key stands for another request"
        "Another order was placed under this Idempotency-Key. Nothing was changed; take a new key for a new order."
    IDEMPOTENCY_KEY_IN_FLIGHT "idempotency-key-in-flight" 409 "A request with this Idempotency-Key is being carried out"
        "The first request under this Idempotency-Key is not answered yet. Try again in a moment: the answer is then the first one's."
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if let StoreError::NoSuchOrder(_) = error {
            return Self::new(&ORDER_NOT_FOUND).detail(error.to_string());
        }
        Self::internal(&error)
    }
}
