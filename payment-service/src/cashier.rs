//! Carries payments through, in three steps: a transaction records the intent, the gateway is called
//! outside of any, a second transaction records what came of it with inbox and outbox, against the
//! state as it is by then. Which operation comes next is `payment`'s rule; how the gateway is asked
//! stands in `cashier/asking.rs`.

mod asking;

use std::{sync::Arc, time::Duration};

use events::{Order, OrderId, topic};
use messaging::{Database, Event, Failure, Outbox, inbox, outbox};
use units::Timestamp;

use crate::{
    announcement,
    gateway::{Gateway, GatewayError, Operation},
    payment::{Announcement, Charge, Heard, Payment},
    store::{self, Cause, Stored},
};
use asking::{Answer, Found};

/// Under which name the inbox remembers what was heard.
const CONSUMER: &str = "payment-service";
/// When the sweeper takes up an intent that nobody ended: after its event would have been redelivered.
const RESUME_AFTER: Duration = Duration::from_secs(20);
/// When it takes up an undo that the gateway could not serve.
const RETRY_UNDO_AFTER: Duration = Duration::from_secs(5);

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
        let stored = self.hear(event.clone(), order.clone(), heard).await?;
        self.carry_through(Some(event), stored).await
    }

    async fn carry_through(&self, event: Option<&Event>, mut stored: Stored) -> Result<(), Failure> {
        while let Some(operation) = stored.payment.intent {
            let Some(answer) = self.ask(&stored.payment, operation).await else { return Ok(()) };
            let settled = self.settle(event.cloned(), stored.payment.order_id, operation, answer).await?;
            self.outbox.notify();
            match settled.failure {
                None => stored = settled.now,
                Some(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    /// The first transaction: what the event says, and the intent that follows.
    async fn hear(&self, event: Event, order: Order, heard: Heard) -> Result<Stored, Failure> {
        self.database
            .write(move |connection| {
                Box::pin(async move {
                    let known = store::load(connection, order.order_id).await?;
                    let before = known.as_ref().map(|known| &known.payment);
                    let mut payment = before.cloned().unwrap_or_else(|| Payment::unheard(&order));
                    payment.hear(heard);
                    let stored = match known {
                        Some(known) if known.payment == payment => known,
                        _ => {
                            let stored = Stored { payment, cause: Cause::of(&event) };
                            store::save(connection, &stored, Timestamp::now().plus(RESUME_AFTER)).await?;
                            stored
                        }
                    };
                    if stored.payment.intent.is_none() {
                        inbox::first_time(connection, CONSUMER, &event).await?;
                    }
                    Ok(stored)
                })
            })
            .await
    }

    /// The second transaction: what came of the call, as the payment stands by now.
    async fn settle(
        &self,
        event: Option<Event>,
        order_id: OrderId,
        operation: Operation,
        answer: Answer,
    ) -> Result<Settled, Failure> {
        self.database
            .write(move |connection| {
                Box::pin(async move {
                    let known = store::load(connection, order_id).await?;
                    let mut stored = known.ok_or_else(|| Failure::transient(Vanished(order_id)))?;
                    stored.payment.note(answer.attempt);
                    let taken = take_in(&mut stored.payment, operation, answer.found);
                    let owed = taken.failure.is_some() && operation.undoes();
                    let due = if owed { RETRY_UNDO_AFTER } else { RESUME_AFTER };
                    store::save(connection, &stored, Timestamp::now().plus(due)).await?;
                    if let Some(news) = taken.news {
                        outbox::add(connection, topic::PAYMENTS, &announcement::event(&stored, &news))
                            .await?;
                    }
                    let ended = taken.failure.is_none() && stored.payment.intent.is_none();
                    if let Some(event) = event.filter(|_| ended) {
                        inbox::first_time(connection, CONSUMER, &event).await?;
                    }
                    Ok(Settled { now: stored, failure: taken.failure })
                })
            })
            .await
    }
}

/// A row that was there is not any more.
#[derive(Debug, thiserror::Error)]
#[error("the payment of order {0} is gone")]
struct Vanished(OrderId);

/// What the second transaction came to. It is committed after a failure too: the attempt is noted.
struct Settled {
    now: Stored,
    failure: Option<Failure>,
}

/// What an answer means for a payment.
struct Taken {
    news: Option<Announcement>,
    failure: Option<Failure>,
}

fn take_in(payment: &mut Payment, operation: Operation, found: Found) -> Taken {
    match found {
        Found::Stands(standing, reason) => Taken { news: payment.observe(standing, &reason), failure: None },
        Found::Refused(standing, reason) => {
            let news = payment.observe(standing, &reason);
            if payment.next() != Some(operation) {
                return Taken { news, failure: None };
            }
            take_in_refusal(payment, operation, reason)
        }
        Found::NotDone(error) => {
            payment.fail(operation);
            let wanted = payment.next() == Some(operation);
            Taken { news: None, failure: wanted.then(|| failure(error)) }
        }
        Found::Unresolved(error) => Taken { news: None, failure: Some(failure(error)) },
    }
}

/// The gateway refuses for good what the payment still needs.
fn take_in_refusal(payment: &mut Payment, operation: Operation, reason: String) -> Taken {
    match operation {
        Operation::Authorize => {
            let news = payment.observe(crate::gateway::Standing::Declined, &reason);
            Taken { news, failure: None }
        }
        Operation::Capture => Taken { news: payment.refuse_capture(&reason), failure: None },
        // Money that is held or taken must not stay so: a person has to look.
        Operation::Void | Operation::Refund => {
            Taken { news: None, failure: Some(Failure::permanent(GatewayError::Refused { reason })) }
        }
    }
}

fn failure(error: GatewayError) -> Failure {
    match error {
        GatewayError::Throttled { after } => Failure::throttled(after, error),
        error => Failure::transient(error),
    }
}
