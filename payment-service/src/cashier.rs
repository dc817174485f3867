//! Carries payments through, in three steps: a transaction records the intent, the gateway is called
//! outside of any, a second transaction records what came of it with inbox and outbox, against the
//! state as it is by then. Which operation comes next is `payment`'s rule. The steps stand in `cashier/`:
//! `hearing`, `asking` and `settling`.

mod asking;
mod hearing;
mod settling;

use std::{sync::Arc, time::Duration};

use events::{Order, OrderId};
use messaging::{Database, Event, Failure, Outbox};

use crate::{
    gateway::{Gateway, GatewayError},
    payment::{Charge, Heard},
    store::{self, Stored},
};
use hearing::Hearing;
use settling::Settling;

/// Under which name the inbox remembers what was heard.
const CONSUMER: &str = "payment-service";
/// When the sweeper takes up an intent that nobody ended: after its event would have been redelivered.
const RESUME_AFTER: Duration = Duration::from_secs(20);

/// Who talks to the gateway; cheap to clone. Any number of them, in any number of processes, may work
/// on one database.
#[derive(Clone)]
pub struct Cashier {
    database: Database,
    outbox: Outbox,
    gateway: Arc<dyn Gateway>,
    time_limit: Duration,
}

impl Cashier {
    /// A cashier on that database and gateway, which waits for an answer so long.
    #[must_use]
    pub fn new(database: Database, outbox: Outbox, gateway: Arc<dyn Gateway>, time_limit: Duration) -> Self {
        Self { database, outbox, gateway, time_limit }
    }

    /// `order.placed`: opens the gateway's reference and authorizes the total.
    ///
    /// # Errors
    /// [`Failure`] when the gateway or the database can't serve; a declined card is none.
    pub async fn placed(&self, event: &Event, order: &Order) -> Result<(), Failure> {
        let reference = self.open(order).await?;
        let method = order.payment_method.clone();
        self.handle(event, order, Heard::Placed(Charge { method, reference })).await
    }

    /// `order.confirmed`: captures what is authorized.
    ///
    /// # Errors
    /// [`Failure`] when the gateway or the database can't serve; a refused capture is none.
    pub async fn confirmed(&self, event: &Event, order: &Order) -> Result<(), Failure> {
        self.handle(event, order, Heard::Confirmed).await
    }

    /// `order.cancelled`: undoes whatever was done or is being done.
    ///
    /// # Errors
    /// [`Failure`] when the gateway or the database can't serve.
    pub async fn cancelled(&self, event: &Event, order: &Order) -> Result<(), Failure> {
        self.handle(event, order, Heard::Cancelled).await
    }

    /// Takes up an open intent that its event's handler did not end.
    ///
    /// # Errors
    /// [`Failure`] when the gateway or the database can't serve.
    pub async fn resume(&self, order_id: OrderId) -> Result<(), Failure> {
        match store::get(self.database.reader(), order_id).await? {
            Some(stored) => self.carry_through(None, stored).await,
            None => Ok(()),
        }
    }

    async fn handle(&self, event: &Event, order: &Order, heard: Heard) -> Result<(), Failure> {
        let hearing = Hearing { event: event.clone(), order: order.clone(), heard };
        let stored = self.database.write_batched(hearing).await?;
        self.carry_through(Some(event), stored).await
    }

    async fn carry_through(&self, event: Option<&Event>, mut stored: Stored) -> Result<(), Failure> {
        while let Some(operation) = stored.payment.intent {
            let Some(answer) = self.ask(&stored.payment, operation).await else { return Ok(()) };
            let order_id = stored.payment.order_id;
            let settling = Settling { event: event.cloned(), order_id, operation, answer };
            let settled = self.database.write_batched(settling).await?;
            self.outbox.notify();
            match settled.failure {
                None => stored = settled.now,
                Some(failure) => return Err(failure),
            }
        }
        Ok(())
    }
}

fn failure(error: GatewayError) -> Failure {
    match error {
        GatewayError::Throttled { after } => Failure::throttled(after, error),
        error => Failure::transient(error),
    }
}
