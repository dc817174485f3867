//! What this service does on each event of `inventory.orders`: one transaction with the inbox, the step
//! of the reservation, and what the others are told of it.

use async_trait::async_trait;
use events::{Fact, Order, StockRejected, StockReleased, StockReserved, kind, parse, topic};
use messaging::{Database, Event, Failure, Handler, Outbox, outbox};

use crate::{
    reservation::{Heard, asked_for, step},
    store::{self, Done},
};

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
        let cause = event.clone();
        let told = self
            .database
            .hear(SOURCE, event, move |connection| {
                Box::pin(async move {
                    let known = store::load(connection, order.order_id).await?;
                    let (state, lines) = match known {
                        Some(known) => (Some(known.state), known.lines),
                        None => (None, asked_for(&order.lines)),
                    };
                    let done =
                        store::carry_out(connection, order.order_id, lines, step(state, heard)).await?;
                    let Some(news) = news(&cause, &order, done) else { return Ok::<_, Failure>(false) };
                    outbox::add(connection, topic::STOCK, &news).await?;
                    Ok(true)
                })
            })
            .await?;
        if told == Some(true) {
            self.outbox.notify();
        }
        Ok(())
    }
}

/// The event that tells what was done.
fn news(event: &Event, order: &Order, done: Done) -> Option<Event> {
    let order_id = order.order_id;
    Some(match done {
        Done::Quietly => return None,
        Done::Reserved(lines) => {
            event.caused(SOURCE, kind::STOCK_RESERVED, &StockReserved { order_id, lines })
        }
        Done::Rejected(short) => {
            event.caused(SOURCE, kind::STOCK_REJECTED, &StockRejected { order_id, short })
        }
        Done::Released(lines) => {
            event.caused(SOURCE, kind::STOCK_RELEASED, &StockReleased { order_id, lines })
        }
    })
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
