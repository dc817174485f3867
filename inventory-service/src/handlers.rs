//! What this service does on each event of `inventory.orders`: one transaction with the inbox, the step
//! of the reservation, and what the others are told of it. The transaction stands in `handlers/hearing.rs`.

mod hearing;

use async_trait::async_trait;
use events::{Fact, Order, parse};
use messaging::{Database, Event, Failure, Handler, Outbox};

use self::hearing::{Hearing, Told};
use crate::reservation::Heard;

/// Who tells it; also the name under which the inbox remembers what was heard.
pub const SOURCE: &str = "/inventory-service";

/// The handler of `inventory.orders`.
pub struct Handlers {
    database: Database,
    outbox: Outbox,
}

impl Handlers {
    /// Handlers that work on that database.
    #[must_use]
    pub const fn new(database: Database, outbox: Outbox) -> Self {
        Self { database, outbox }
    }

    /// `order.placed`: holds all lines, or none.
    async fn placed(&self, event: &Event, order: Order) -> Result<(), Failure> {
        self.advance(event, order, Heard::Placed).await
    }

    /// `order.confirmed`: what is held leaves the stock.
    async fn confirmed(&self, event: &Event, order: Order) -> Result<(), Failure> {
        self.advance(event, order, Heard::Confirmed).await
    }

    /// `order.cancelled`: whatever is held, or has left, is free again.
    async fn cancelled(&self, event: &Event, order: Order) -> Result<(), Failure> {
        self.advance(event, order, Heard::Cancelled).await
    }

    async fn advance(&self, event: &Event, order: Order, heard: Heard) -> Result<(), Failure> {
        let hearing = Hearing { event: event.clone(), order, heard };
        let told = self.database.hear_batched(SOURCE, event, hearing).await?;
        if told == Some(Told::Something) {
            self.outbox.notify();
        }
        Ok(())
    }
}

#[async_trait]
impl Handler for Handlers {
    async fn handle(&self, event: &Event) -> Result<(), Failure> {
        match parse(event).map_err(Failure::permanent)? {
            Fact::OrderPlaced(order) => self.placed(event, order).await,
            Fact::OrderConfirmed(order) => self.confirmed(event, order).await,
            Fact::OrderCancelled(cancelled) => self.cancelled(event, cancelled.order).await,
            // Known, and none of this service's business.
            _ => Ok(()),
        }
    }
}
