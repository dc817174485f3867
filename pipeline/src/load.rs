//! `pipeline load`: many orders at once, measured as a customer would: from the POST until the order
//! is decided. Then the invariants.

mod command;
mod measured;
mod percentile;

use std::{sync::Arc, time::Duration};

use tokio::{sync::mpsc, time::Instant};
use uuid::Uuid;

pub use self::{command::LoadArgs, measured::Measured, percentile::percentile};
use crate::{
    check::Answered,
    client::ClientError,
    shop::{Basket, Shop},
};

/// How many orders, how many at a time, and how long nobody may answer.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How many in all.
    pub orders: u32,
    /// How many are placed and not decided yet, at the most.
    pub in_flight: u32,
    /// How long one order may take, outages and restarts included.
    pub patience: Duration,
}

/// What became of one order.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its key.
    pub key: Uuid,
    /// Its id, once it was answered 202.
    pub order: Option<String>,
    /// How it ended.
    pub ended: Ended,
    /// From the POST until it was decided.
    pub took: Duration,
}

/// How an order ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ended {
    /// It goes through.
    Confirmed,
    /// It does not, and why.
    Cancelled(String),
    /// It was not decided in time.
    Pending,
    /// It was not taken, or nobody answered.
    Failed(String),
}

/// Places the orders, and tells each as it ends; gives all together.
pub async fn place_all(shop: &Shop, plan: Plan, told: impl Fn(&Outcome)) -> (Measured, Answered) {
    let (send, mut outcomes) = mpsc::unbounded_channel();
    let next = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let started = Instant::now();
    for _ in 0..plan.in_flight.min(plan.orders) {
        tokio::spawn(customer(shop.clone(), plan, Arc::clone(&next), send.clone()));
    }
    drop(send);
    let (mut all, mut answered) = (Vec::with_capacity(plan.orders as usize), Answered::default());
    while let Some(outcome) = outcomes.recv().await {
        told(&outcome);
        if let Some(order) = &outcome.order {
            answered.note(outcome.key.to_string(), order);
        }
        all.push(outcome);
    }
    (Measured::new(&all, started.elapsed()), answered)
}

/// One customer after the other: the next comes when the one before is served.
async fn customer(
    shop: Shop,
    plan: Plan,
    next: Arc<std::sync::atomic::AtomicU32>,
    outcomes: mpsc::UnboundedSender<Outcome>,
) {
    loop {
        let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if number >= plan.orders || outcomes.send(one(&shop, number, plan.patience).await).is_err() {
            return;
        }
    }
}

async fn one(shop: &Shop, number: u32, patience: Duration) -> Outcome {
    let (key, started) = (Uuid::now_v7(), Instant::now());
    let mut outcome = Outcome { key, order: None, ended: Ended::Pending, took: Duration::ZERO };
    match shop.place(key, &basket(number), patience).await {
        Err(error) => outcome.ended = failed(&error),
        Ok(placed) => {
            outcome.ended = match shop.settled(&placed.id, patience).await {
                Err(error) => failed(&error),
                Ok(order) if order.status == "confirmed" => Ended::Confirmed,
                Ok(order) if order.is_settled() => Ended::Cancelled(order.reason.unwrap_or_default()),
                Ok(_) => Ended::Pending,
            };
            outcome.order = Some(placed.id);
        }
    }
    outcome.took = started.elapsed();
    outcome
}

fn failed(error: &ClientError) -> Ended {
    let text = match error {
        ClientError::Refused { status, .. } => format!("refused with {status}"),
        ClientError::Unanswered { .. } => "not answered".to_owned(),
        ClientError::Unreadable { .. } => "answered with what can't be read".to_owned(),
    };
    Ended::Failed(text)
}

/// What the customers of a day want: mostly good orders of one to three lines, and every twentieth
/// with a card that is declined.
fn basket(number: u32) -> Basket {
    let lines: &[(&str, u32)] = match number % 4 {
        0 => &[("mug", 1)],
        1 => &[("coffee-beans", 2)],
        2 => &[("coffee-beans", 1), ("mug", 2)],
        _ => &[("grinder", 1), ("coffee-beans", 1), ("mug", 1)],
    };
    let method = match number % 20 {
        19 => "pm_card_chargeDeclined",
        n if n % 2 == 0 => "pm_card_visa",
        _ => "pm_card_mastercard",
    };
    Basket::new(&format!("customer-{number}"), lines, method)
}
