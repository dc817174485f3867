//! The first transaction: what an event says of a payment, and the intent that follows.

use async_trait::async_trait;
use events::{Order, OrderId};
use messaging::{Batched, Event, Failure, inbox};
use sqlx::SqliteConnection;
use units::Timestamp;

use super::{CONSUMER, RESUME_AFTER};
use crate::{
    payment::{Heard, Payment},
    store::{self, Cause, Stored},
};

/// An event of an order, as its payment hears it.
pub(super) struct Hearing {
    pub(super) event: Event,
    pub(super) order: Order,
    pub(super) heard: Heard,
}

#[async_trait]
impl Batched for Hearing {
    type Key = OrderId;
    /// The payment from now on.
    type Done = Stored;
    type Error = Failure;

    fn key(&self) -> OrderId {
        self.order.order_id
    }

    /// Only where no intent follows is the event done with, and noted in the inbox.
    async fn carry_out(
        connection: &mut SqliteConnection,
        hearings: &[&Self],
    ) -> Result<Vec<Stored>, Failure> {
        let orders: Vec<OrderId> = hearings.iter().map(|hearing| hearing.key()).collect();
        let mut known = store::load(connection, &orders).await?;
        let heard: Vec<Taken> =
            hearings.iter().map(|hearing| hearing.take_in(known.remove(&hearing.key()))).collect();
        let due_at = Timestamp::now().plus(RESUME_AFTER);
        let changed = heard.iter().filter(|taken| taken.is_new).map(|taken| (&taken.stored, due_at));
        store::save(connection, &changed.collect::<Vec<_>>()).await?;
        let done = heard.iter().zip(hearings).filter(|(taken, _)| taken.stored.payment.intent.is_none());
        inbox::note(connection, CONSUMER, done.map(|(_, hearing)| &hearing.event)).await?;
        Ok(heard.into_iter().map(|taken| taken.stored).collect())
    }
}

/// The payment after hearing, and whether that told anything new.
struct Taken {
    stored: Stored,
    is_new: bool,
}

impl Hearing {
    fn take_in(&self, known: Option<Stored>) -> Taken {
        let before = known.as_ref().map(|known| &known.payment);
        let mut payment = before.cloned().unwrap_or_else(|| Payment::unheard(&self.order));
        payment.hear(self.heard.clone());
        match known {
            Some(stored) if stored.payment == payment => Taken { stored, is_new: false },
            _ => Taken { stored: Stored { payment, cause: Cause::of(&self.event) }, is_new: true },
        }
    }
}
