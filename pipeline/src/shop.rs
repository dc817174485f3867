//! A customer of order-service: places orders, watches them, cancels them. Used by `demo` and `load`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};
use units::Timestamp;
use uuid::Uuid;

use crate::{
    check::Line,
    client::{Client, ClientError},
    places::{Part, Places},
};

/// The longest that order-service is asked to hold an answer back for.
const WAIT: &str = "10s";
/// The pauses between tries: doubled from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A customer of one pipeline. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Shop {
    client: Client,
    orders: String,
}

/// What is ordered, and how it is paid.
#[derive(Clone, Debug, Serialize)]
pub struct Basket {
    customer: Customer,
    lines: Vec<Wanted>,
    payment_method: String,
}

#[derive(Clone, Debug, Serialize)]
struct Customer {
    name: String,
    email: String,
}

#[derive(Clone, Debug, Serialize)]
struct Wanted {
    sku: String,
    quantity: u32,
}

/// An order as it is told.
#[derive(Clone, Debug, Deserialize)]
pub struct Placed {
    /// Which.
    pub id: String,
    /// `pending`, `confirmed` or `cancelled`.
    pub status: String,
    /// Why it is cancelled.
    #[serde(default)]
    pub reason: Option<String>,
    /// What it costs.
    pub total: crate::check::Money,
    /// What was ordered.
    pub lines: Vec<Line>,
    /// What happened to it, oldest first.
    pub timeline: Vec<Happening>,
}

/// One thing that happened.
#[derive(Clone, Debug, Deserialize)]
pub struct Happening {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: String,
    /// What there is to say of it.
    #[serde(default)]
    pub detail: Option<String>,
}

impl Basket {
    /// One or more things, for one customer.
    #[must_use]
    pub fn new(customer: &str, lines: &[(&str, u32)], payment_method: &str) -> Self {
        let email = format!("{}@example.com", customer.to_lowercase());
        let lines =
            lines.iter().map(|(sku, quantity)| Wanted { sku: (*sku).to_owned(), quantity: *quantity });
        Self {
            customer: Customer { name: customer.to_owned(), email },
            lines: lines.collect(),
            payment_method: payment_method.to_owned(),
        }
    }

    /// How it is paid.
    #[must_use]
    pub fn payment_method(&self) -> &str {
        &self.payment_method
    }
}

impl Placed {
    /// Whether it is decided.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.status != "pending"
    }
}

impl Shop {
    /// A customer of the pipeline at those places.
    #[must_use]
    pub fn new(client: Client, places: &Places) -> Self {
        Self { client, orders: format!("{}/orders", places.of(Part::Order)) }
    }

    /// Places an order under a key. While nobody answers it tries again, with the same key: there is
    /// one order, however often it had to ask.
    ///
    /// # Errors
    /// When it is refused, or nobody answered for `patience`.
    pub async fn place(&self, key: Uuid, basket: &Basket, patience: Duration) -> Result<Placed, ClientError> {
        let key = key.to_string();
        insist(patience, || self.client.post_once(&self.orders, &key, basket)).await
    }

    /// How an order stands.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn look(&self, id: &str) -> Result<Placed, ClientError> {
        self.client.get(&format!("{}/{id}", self.orders)).await
    }

    /// Waits until an order is decided, at most `patience`, and tells how it stands then.
    ///
    /// # Errors
    /// When nobody answered for `patience`.
    pub async fn settled(&self, id: &str, patience: Duration) -> Result<Placed, ClientError> {
        let deadline = Instant::now() + patience;
        let url = format!("{}/{id}?wait={WAIT}", self.orders);
        loop {
            let order: Placed = insist(patience, || self.client.get(&url)).await?;
            if order.is_settled() || Instant::now() >= deadline {
                return Ok(order);
            }
        }
    }

    /// Cancels an order.
    ///
    /// # Errors
    /// [`ClientError`]; 409 when it is cancelled already.
    pub async fn cancel(&self, id: &str) -> Result<Placed, ClientError> {
        self.client.post(&format!("{}/{id}/cancel", self.orders), &serde_json::json!({})).await
    }
}

/// Asks again while the fault may pass, at most for `patience`.
async fn insist<T, A: Future<Output = Result<T, ClientError>>>(
    patience: Duration,
    ask: impl Fn() -> A,
) -> Result<T, ClientError> {
    let deadline = Instant::now() + patience;
    let mut pause = FIRST_PAUSE;
    loop {
        match ask().await {
            Err(error) if error.is_passing() && Instant::now() + pause < deadline => {
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            answer => return answer,
        }
    }
}
