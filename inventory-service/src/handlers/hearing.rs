//! One transaction: what events say of their orders' reservations, what that does to the stock, and what
//! the others are told of it.

use async_trait::async_trait;
use events::{Order, OrderId, StockLine, StockRejected, StockReleased, StockReserved, kind, topic};
use messaging::{Batched, Event, Failure, outbox};
use sqlx::SqliteConnection;

use super::SOURCE;
use crate::{
    reservation::{Heard, Step, asked_for, step},
    store::{self, Reservation},
    warehouse::{Done, Warehouse},
};

/// An event of an order, as its reservation hears it.
pub(super) struct Hearing {
    pub(super) event: Event,
    pub(super) order: Order,
    pub(super) heard: Heard,
}

/// Whether the others are told anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Something,
    Nothing,
}

#[async_trait]
impl Batched for Hearing {
    type Key = OrderId;
    type Done = Told;
    type Error = Failure;

    fn key(&self) -> OrderId {
        self.order.order_id
    }

    async fn carry_out(connection: &mut SqliteConnection, hearings: &[&Self]) -> Result<Vec<Told>, Failure> {
        let orders: Vec<OrderId> = hearings.iter().map(|hearing| hearing.key()).collect();
        let mut known = store::load(connection, &orders).await?;
        let steps: Vec<(Step, Vec<StockLine>)> =
            hearings.iter().map(|hearing| hearing.step(known.remove(&hearing.key()))).collect();
        let skus: Vec<_> = steps.iter().flat_map(|(_, lines)| lines.iter().map(|line| &line.sku)).collect();
        let mut warehouse = Warehouse::of(store::stock_of(connection, &skus).await?);
        let (mut changed, mut told) = (Vec::new(), Vec::new());
        for (hearing, (step, lines)) in hearings.iter().zip(steps) {
            let (state, done) = warehouse.carry_out(step, &lines);
            changed.extend(state.map(|state| Reservation { order_id: hearing.key(), state, lines }));
            told.push(hearing.tell(connection, done).await?);
        }
        store::save(connection, &changed).await?;
        store::write_back(connection, warehouse.stock()).await?;
        Ok(told)
    }
}

impl Hearing {
    /// The step of the reservation that was known of the order, if any, and the lines that it is about.
    fn step(&self, known: Option<Reservation>) -> (Step, Vec<StockLine>) {
        let state = known.as_ref().map(|known| known.state);
        let lines = known.map_or_else(|| asked_for(&self.order.lines), |known| known.lines);
        (step(state, self.heard), lines)
    }

    async fn tell(&self, connection: &mut SqliteConnection, done: Done) -> Result<Told, Failure> {
        let Some(news) = self.news(done) else { return Ok(Told::Nothing) };
        outbox::add(connection, topic::STOCK, &news).await?;
        Ok(Told::Something)
    }

    /// The event that tells what was done.
    fn news(&self, done: Done) -> Option<Event> {
        let order_id = self.key();
        let event = &self.event;
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
}
