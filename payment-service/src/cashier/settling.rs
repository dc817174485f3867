//! The second transaction: what came of a call of the gateway, as the payment stands by now.

use std::time::Duration;

use async_trait::async_trait;
use events::{OrderId, topic};
use messaging::{Batched, Event, Failure, inbox, outbox};
use sqlx::SqliteConnection;
use units::Timestamp;

use super::{
    CONSUMER, RESUME_AFTER,
    asking::{Answer, Found},
    failure,
};
use crate::{
    announcement,
    gateway::{GatewayError, Operation, Standing},
    payment::{Announcement, Payment},
    store::{self, Stored},
};

/// When the sweeper takes up an undo that the gateway could not serve.
const RETRY_UNDO_AFTER: Duration = Duration::from_secs(5);

/// The gateway's answer for an order, and the event that it was asked for, if it was for one.
pub(super) struct Settling {
    pub(super) event: Option<Event>,
    pub(super) order_id: OrderId,
    pub(super) operation: Operation,
    pub(super) answer: Answer,
}

/// What the second transaction came to. It is committed after a failure too: the attempt is noted.
pub(super) struct Settled {
    pub(super) now: Stored,
    pub(super) failure: Option<Failure>,
}

/// A row that was there is not any more.
#[derive(Debug, thiserror::Error)]
#[error("the payment of order {0} is gone")]
struct Vanished(OrderId);

#[async_trait]
impl Batched for Settling {
    type Key = OrderId;
    type Done = Settled;
    type Error = Failure;

    fn key(&self) -> OrderId {
        self.order_id
    }

    /// An event is noted in the inbox once it is done with: until then, when it comes again, the work goes on.
    async fn carry_out(
        connection: &mut SqliteConnection,
        settlings: &[&Self],
    ) -> Result<Vec<Settled>, Failure> {
        let orders: Vec<OrderId> = settlings.iter().map(|settling| settling.order_id).collect();
        let mut known = store::load(connection, &orders).await?;
        let now = Timestamp::now();
        let (mut all, mut due): (Vec<Settled>, Vec<Timestamp>) = (Vec::new(), Vec::new());
        for settling in settlings {
            let stored = known.remove(&settling.order_id).ok_or_else(|| settling.vanished())?;
            let (settled, news) = settling.settle(stored);
            if let Some(news) = news {
                outbox::add(connection, topic::PAYMENTS, &announcement::event(&settled.now, &news)).await?;
            }
            due.push(now.plus(settling.resume_after(&settled)));
            all.push(settled);
        }
        let rows: Vec<_> = all.iter().map(|settled| &settled.now).zip(due).collect();
        store::save(connection, &rows).await?;
        let done = settlings.iter().zip(&all).filter(|(_, settled)| settled.is_done());
        inbox::note(connection, CONSUMER, done.filter_map(|(settling, _)| settling.event.as_ref())).await?;
        Ok(all)
    }
}

impl Settling {
    /// What the answer makes of the payment, and what the others are to hear of it.
    fn settle(&self, mut now: Stored) -> (Settled, Option<Announcement>) {
        now.payment.note(self.answer.attempt.clone());
        let Meaning { news, failure } = take_in(&mut now.payment, self.operation, self.answer.found.clone());
        (Settled { now, failure }, news)
    }

    fn resume_after(&self, settled: &Settled) -> Duration {
        let owed = settled.failure.is_some() && self.operation.undoes();
        if owed { RETRY_UNDO_AFTER } else { RESUME_AFTER }
    }

    fn vanished(&self) -> Failure {
        Failure::transient(Vanished(self.order_id))
    }
}

impl Settled {
    /// Whether the event is done with: nothing failed, and there is nothing left to ask the gateway.
    const fn is_done(&self) -> bool {
        self.failure.is_none() && self.now.payment.intent.is_none()
    }
}

/// What an answer means for a payment.
struct Meaning {
    news: Option<Announcement>,
    failure: Option<Failure>,
}

fn take_in(payment: &mut Payment, operation: Operation, found: Found) -> Meaning {
    match found {
        Found::Stands(standing, reason) => {
            Meaning { news: payment.observe(standing, &reason), failure: None }
        }
        Found::Refused(standing, reason) => {
            let news = payment.observe(standing, &reason);
            if payment.next() != Some(operation) {
                return Meaning { news, failure: None };
            }
            take_in_refusal(payment, operation, reason)
        }
        Found::NotDone(error) => {
            payment.fail(operation);
            let wanted = payment.next() == Some(operation);
            Meaning { news: None, failure: wanted.then(|| failure(error)) }
        }
        Found::Unresolved(error) => Meaning { news: None, failure: Some(failure(error)) },
    }
}

/// The gateway refuses for good what the payment still needs.
fn take_in_refusal(payment: &mut Payment, operation: Operation, reason: String) -> Meaning {
    match operation {
        Operation::Authorize => Meaning { news: payment.observe(Standing::Declined, &reason), failure: None },
        Operation::Capture => Meaning { news: payment.refuse_capture(&reason), failure: None },
        // Money that is held or taken must not stay so: a person has to look.
        Operation::Void | Operation::Refund => {
            Meaning { news: None, failure: Some(Failure::permanent(GatewayError::Refused { reason })) }
        }
    }
}
