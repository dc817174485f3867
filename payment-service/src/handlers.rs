//! What this service does on each event of `payment.orders`; one event a function, in `cashier`.

use async_trait::async_trait;
use events::{Fact, parse};
use messaging::{Event, Failure, Handler};

use crate::cashier::Cashier;

/// The handler of `payment.orders`.
pub struct Handlers {
    cashier: Cashier,
}

impl Handlers {
    /// Handlers that act through that cashier.
    #[must_use]
    pub const fn new(cashier: Cashier) -> Self {
        Self { cashier }
    }
}

#[async_trait]
impl Handler for Handlers {
    async fn handle(&self, event: &Event) -> Result<(), Failure> {
        match parse(event).map_err(Failure::permanent)? {
            Fact::OrderPlaced(order) => self.cashier.placed(event, &order).await,
            Fact::OrderConfirmed(order) => self.cashier.confirmed(event, &order).await,
            Fact::OrderCancelled(cancelled) => self.cashier.cancelled(event, &cancelled.order).await,
            // Known, and none of this service's business.
            _ => Ok(()),
        }
    }
}
