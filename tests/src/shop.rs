//! The shop as its users see it: place orders, look at them, at the money, the stock and the mails.

use std::path::Path;

use anyhow::Context;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    eventually::{equal, eventually},
    http::{call, get, list, post, put},
    programs::{Program, free_ports},
};

/// Where the servers of a pipeline listen.
#[derive(Clone, Debug)]
pub struct Shop {
    /// The broker.
    pub broker: String,
    /// order-service.
    pub orders: String,
    /// inventory-service.
    pub inventory: String,
    /// payment-service.
    pub payments: String,
    /// email-service.
    pub emails: String,
    /// analytics-service.
    pub analytics: String,
}

impl Shop {
    /// The servers that `pipeline up` printed.
    #[must_use]
    pub fn of(pipeline: &Program) -> Self {
        let url = |name: &str| pipeline.url(name).to_owned();
        Self {
            broker: url("broker"),
            orders: url("order-service"),
            inventory: url("inventory-service"),
            payments: url("payment-service"),
            emails: url("email-service"),
            analytics: url("analytics-service"),
        }
    }

    /// The broker's port: what `check` and `load` count from.
    #[must_use]
    pub fn port(&self) -> &str {
        self.broker.rsplit(':').next().unwrap_or_default()
    }

    /// Places an order for two mugs, which must be taken; gives its id.
    ///
    /// # Errors
    /// When it is not answered by 202.
    pub async fn place(&self, payment_method: &str) -> anyhow::Result<String> {
        self.place_lines(payment_method, &json!([{"sku": "mug", "quantity": 2}])).await
    }

    /// Places an order for these lines, which must be taken; gives its id.
    ///
    /// # Errors
    /// When it is not answered by 202.
    pub async fn place_lines(&self, payment_method: &str, lines: &Value) -> anyhow::Result<String> {
        let key = format!("key-{:032x}", rand::random::<u128>());
        let body = order(payment_method, lines);
        let (status, answer) = self.try_place(&key, &body).await?;
        anyhow::ensure!(status == StatusCode::ACCEPTED, "POST /orders answered {status}: {answer}");
        Ok(text(&answer, "id")?.to_owned())
    }

    /// Sends an order under a key, whatever comes of it.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn try_place(&self, key: &str, body: &Value) -> anyhow::Result<(StatusCode, Value)> {
        call(Method::POST, &format!("{}/orders", self.orders), &[("idempotency-key", key)], Some(body)).await
    }

    /// The order now.
    ///
    /// # Errors
    /// When it can't be had.
    pub async fn order(&self, id: &str) -> anyhow::Result<Value> {
        get(&format!("{}/orders/{id}", self.orders)).await
    }

    /// Cancels an order, as its customer.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn cancel(&self, id: &str) -> anyhow::Result<Value> {
        post(&format!("{}/orders/{id}/cancel", self.orders), &json!({})).await
    }

    /// Waits until the order has that status.
    pub async fn until(&self, id: &str, status: &str) -> Value {
        eventually(&format!("order {id} to be {status}"), async || {
            let order = self.order(id).await.map_err(|error| format!("{error:#}"))?;
            if order["status"] == status { Ok(order) } else { Err(order.to_string()) }
        })
        .await
    }

    /// Waits until the ledger says just these operations of the order, in this order.
    pub async fn until_ledger(&self, id: &str, operations: &[&str]) {
        eventually(&format!("the ledger of {id} to be {operations:?}"), async || {
            let found = self.ledger(id).await.map_err(|error| format!("{error:#}"))?;
            equal(found, operations.iter().map(|operation| (*operation).to_owned()).collect())
        })
        .await;
    }

    /// What the gateway carried out for the order.
    ///
    /// # Errors
    /// When the ledger can't be had.
    pub async fn ledger(&self, id: &str) -> anyhow::Result<Vec<String>> {
        let all = list(&format!("{}/sandbox/ledger", self.payments)).await?;
        let own = all.iter().filter(|entry| entry["order_id"] == id);
        own.map(|entry| Ok(text(entry, "operation")?.to_owned())).collect()
    }

    /// The kinds of the mails of the order, sorted.
    ///
    /// # Errors
    /// When they can't be had.
    pub async fn mails(&self, id: &str) -> anyhow::Result<Vec<String>> {
        let all = list(&format!("{}/emails?order={id}", self.emails)).await?;
        let mut kinds: Vec<String> =
            all.iter().filter_map(|mail| mail["kind"].as_str().map(str::to_owned)).collect();
        kinds.sort();
        Ok(kinds)
    }

    /// Waits until the order has just these mails (sorted).
    pub async fn until_mails(&self, id: &str, kinds: &[&str]) {
        eventually(&format!("the mails of {id} to be {kinds:?}"), async || {
            let found = self.mails(id).await.map_err(|error| format!("{error:#}"))?;
            equal(found, kinds.iter().map(|kind| (*kind).to_owned()).collect())
        })
        .await;
    }

    /// Plays the gateway's outage, or its end.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn gateway(&self, mode: &str) -> anyhow::Result<Value> {
        put(&format!("{}/sandbox", self.payments), &json!({ "mode": mode })).await
    }

    /// Waits until a dead letter of that order is in the queue, and gives it with its history.
    pub async fn until_dead(&self, queue: &str, order: &str) -> Value {
        let dead_letters = format!("{}/queues/{queue}/dead-letters", self.broker);
        let id = eventually(&format!("a dead letter of {order} in {queue}"), async || {
            let all = list(&dead_letters).await.map_err(|error| format!("{error:#}"))?;
            let own = all.iter().find(|letter| letter["partitionkey"] == order);
            own.and_then(|letter| letter["id"].as_str()).map(str::to_owned).ok_or_else(|| format!("{all:?}"))
        })
        .await;
        get(&format!("{dead_letters}/{id}")).await.expect("a dead letter that is listed can be read")
    }

    /// Redrives everything that is dead in the queue.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn redrive(&self, queue: &str) -> anyhow::Result<Value> {
        post(&format!("{}/queues/{queue}/dead-letters/redrive", self.broker), &json!({})).await
    }

    /// Redrives everything that is dead anywhere; says how many.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn redrive_all(&self) -> anyhow::Result<u64> {
        let mut redriven = 0;
        for queue in list(&format!("{}/dead-letters", self.broker)).await? {
            if queue["dead"].as_u64() > Some(0) {
                let answer = self.redrive(text(&queue, "queue")?).await?;
                redriven += answer["redriven"].as_u64().unwrap_or_default();
            }
        }
        Ok(redriven)
    }
}

/// A text field of a JSON object.
///
/// # Errors
/// When it is not there.
pub fn text<'a>(value: &'a Value, field: &str) -> anyhow::Result<&'a str> {
    value[field].as_str().with_context(|| format!("no {field} in {value}"))
}

/// The body of an order.
#[must_use]
pub fn order(payment_method: &str, lines: &Value) -> Value {
    json!({
        "customer": {"name": "Ada Lovelace", "email": "ada@example.org"},
        "lines": lines,
        "payment_method": payment_method,
    })
}

/// Starts the whole pipeline on free ports and a data folder.
///
/// # Errors
/// When it does not start.
pub async fn up(folder: &Path) -> anyhow::Result<Program> {
    up_in(&[], folder).await
}

/// The same with some variables of its environment set.
///
/// # Errors
/// As [`up`].
pub async fn up_in(environment: &[(&str, &str)], folder: &Path) -> anyhow::Result<Program> {
    let data = folder.join("data");
    let data = data.to_str().context("a temporary folder has a readable name")?;
    let port = free_ports(6).to_string();
    Program::start_in(environment, "pipeline", &["up", "--port", &port, "--data", data], folder).await
}
