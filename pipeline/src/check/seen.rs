//! What the checker saw: the parts of each service's answers that the invariants speak of.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use crate::places::Part;

/// Everything that was seen, gathered by order where it belongs to one.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// All orders.
    pub orders: Vec<Order>,
    /// What the gateway did, by order.
    pub ledger: HashMap<String, Vec<LedgerEntry>>,
    /// What is held or was taken, by order.
    pub reservations: HashMap<String, Reservation>,
    /// The mails, by order.
    pub emails: HashMap<String, Vec<Email>>,
    /// The stock.
    pub stock: Vec<StockItem>,
    /// The broker's queues.
    pub queues: Vec<Queue>,
    /// The dead letters, by queue.
    pub dead_letters: BTreeMap<String, Vec<DeadLetter>>,
    /// Each service's outbox.
    pub outboxes: Vec<(Part, Outbox)>,
    /// Which order each key stands for.
    pub keys: Vec<Key>,
}

/// An `Idempotency-Key` and the order that it stands for.
#[derive(Clone, Debug, Deserialize)]
pub struct Key {
    /// As the client chose it.
    pub key: String,
    /// Which order it was answered with.
    pub order_id: String,
}

/// An order, as order-service shows it.
#[derive(Clone, Debug, Deserialize)]
pub struct Order {
    /// Which.
    pub id: String,
    /// Where it stands.
    pub status: Status,
    /// Why it is cancelled.
    #[serde(default)]
    pub reason: Option<String>,
    /// What was ordered.
    pub lines: Vec<Line>,
    /// What it costs.
    pub total: Money,
    /// What happened to it.
    pub timeline: Vec<Moment>,
}

impl Order {
    /// Whether it was confirmed once, whatever came later.
    #[must_use]
    pub fn was_confirmed(&self) -> bool {
        self.timeline.iter().any(|moment| moment.what == "order.confirmed")
    }
}

/// One thing that happened to an order.
#[derive(Clone, Debug, Deserialize)]
pub struct Moment {
    /// An event's type, or what else was done.
    pub what: String,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Not decided.
    Pending,
    /// It goes through.
    Confirmed,
    /// It does not.
    Cancelled,
}

/// So many of a SKU.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Line {
    /// What.
    pub sku: String,
    /// How many.
    pub quantity: i64,
}

/// An amount in minor units.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Money {
    /// Minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
}

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:02} {}", self.amount / 100, self.amount % 100, self.currency)
    }
}

/// One operation that the gateway carried out.
#[derive(Clone, Debug, Deserialize)]
pub struct LedgerEntry {
    /// Which.
    pub operation: Operation,
    /// For which order.
    pub order_id: String,
    /// How much.
    pub amount: Money,
}

/// What a gateway does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Hold an amount.
    Authorize,
    /// Take it.
    Capture,
    /// Give up the hold.
    Void,
    /// Give it back.
    Refund,
}

/// What is held, or was taken, for an order.
#[derive(Clone, Debug, Deserialize)]
pub struct Reservation {
    /// Which order.
    pub order_id: String,
    /// How far it got.
    pub state: ReservationState,
    /// What.
    pub lines: Vec<Line>,
}

/// How far a reservation got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReservationState {
    /// Held.
    Reserved,
    /// Taken.
    Committed,
    /// Free again.
    Released,
    /// Not to be had.
    Rejected,
}

/// A mail that was sent.
#[derive(Clone, Debug, Deserialize)]
pub struct Email {
    /// Of which order.
    pub order_id: String,
    /// What it tells.
    pub kind: String,
}

/// The stock of a SKU.
#[derive(Clone, Debug, Deserialize)]
pub struct StockItem {
    /// Which.
    pub sku: String,
    /// What lies there, reserved or not.
    pub on_hand: i64,
    /// What of it is held for orders.
    pub reserved: i64,
    /// What of it is free.
    pub available: i64,
    /// What was ever put in.
    pub received: i64,
    /// What was taken by orders.
    pub committed: i64,
}

/// A queue of the broker.
#[derive(Clone, Debug, Deserialize)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// Its counts.
    pub counts: Counts,
}

/// What a queue counts. What the contract names and a queue does not tell is an error, not a zero.
#[derive(Clone, Debug, Default, Deserialize)]
#[allow(missing_docs)]
pub struct Counts {
    pub ready: i64,
    pub leased: i64,
    pub delayed: i64,
    pub dead: i64,
    pub published: i64,
    pub replayed: i64,
    pub redriven_in: i64,
    pub redriven_out: i64,
    pub acked: i64,
    pub dead_lettered: i64,
    pub discarded: i64,
    pub expired: i64,
    pub dropped: i64,
    pub purged: i64,
}

/// A dead letter, as the list shows it.
#[derive(Clone, Debug, Deserialize)]
pub struct DeadLetter {
    /// The message's id.
    pub id: String,
    /// What it was about.
    pub r#type: String,
    /// The order, where the message has a key.
    #[serde(default)]
    pub partitionkey: Option<String>,
    /// Why it died.
    #[serde(default)]
    pub reason: Option<String>,
}

/// A service's outbox.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Outbox {
    /// Rows that could go.
    pub depth: i64,
    /// Those that the broker refused for good.
    #[serde(default)]
    pub set_aside: Vec<SetAside>,
}

/// A row that the broker refused for good; it holds its key.
#[derive(Clone, Debug, Deserialize)]
pub struct SetAside {
    /// The event's id.
    pub id: String,
    /// Its type.
    pub r#type: String,
    /// The order; what waits behind the row.
    #[serde(default)]
    pub key: Option<String>,
    /// What the broker said.
    #[serde(default)]
    pub error: Option<String>,
}

impl Seen {
    /// What the gateway did for an order.
    pub(super) fn ledger_of(&self, order: &str) -> impl Iterator<Item = &LedgerEntry> {
        self.ledger.get(order).into_iter().flatten()
    }

    /// The fault where the mails of an order are not exactly those of `wanted`, one each, which must be
    /// sorted.
    pub(super) fn wrong_mails(&self, order: &str, wanted: &[&str]) -> Option<super::Fault> {
        let sent = self.emails.get(order).map_or(&[][..], Vec::as_slice);
        let mut sent: Vec<&str> = sent.iter().map(|email| email.kind.as_str()).collect();
        sent.sort_unstable();
        let what = || format!("its mails are [{}], not [{}]", sent.join(", "), wanted.join(", "));
        (sent != wanted).then(|| super::Fault::new(order, what()))
    }
}
