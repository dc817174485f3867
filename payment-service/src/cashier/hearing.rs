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

    /// An event is noted in the inbox once it is done with: until then, when it comes again, the work goes on.
    async fn carry_out(
        connection: &mut SqliteConnection,
        hearings: &[&Self],
    ) -> Result<Vec<Stored>, Failure> {
        let orders: Vec<OrderId> = hearings.iter().map(|hearing| hearing.key()).collect();
        let mut known = store::load(connection, &orders).await?;
        let all: Vec<Told> =
            hearings.iter().map(|hearing| hearing.tell(known.remove(&hearing.key()))).collect();
        let due_at = Timestamp::now().plus(RESUME_AFTER);
        let changed = all.iter().filter(|told| told.is_news).map(|told| (&told.now, due_at));
        store::save(connection, &changed.collect::<Vec<_>>()).await?;
        let done = hearings.iter().zip(&all).filter(|(_, told)| told.is_done());
        inbox::note(connection, CONSUMER, done.map(|(hearing, _)| &hearing.event)).await?;
        Ok(all.into_iter().map(|told| told.now).collect())
    }
}

/// The payment after it was told of an event, and whether that was news to it.
struct Told {
    now: Stored,
    is_news: bool,
}

impl Told {
    /// Whether the event is done with: there is nothing to ask the gateway.
    const fn is_done(&self) -> bool {
        self.now.payment.intent.is_none()
    }
}

impl Hearing {
    fn tell(&self, known: Option<Stored>) -> Told {
        let before = known.as_ref().map(|known| &known.payment);
        let mut payment = before.cloned().unwrap_or_else(|| Payment::unheard(&self.order));
        payment.hear(self.heard.clone());
        match known {
            Some(now) if now.payment == payment => Told { now, is_news: false },
            _ => Told { now: Stored { payment, cause: Cause::of(&self.event) }, is_news: true },
        }
    }
}
