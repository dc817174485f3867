//! The outage's scene: a dead letter is found, looked at, and redriven, as one would with curl.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{PATIENCE, Stage, watch::Watched};
use crate::{
    client::escape,
    paint::{bad, dim, name, warn},
    places::Part,
};

/// The queue in which it dies.
const QUEUE: &str = events::queue::PAYMENT_ORDERS;
/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A dead letter of the list.
#[derive(Deserialize)]
pub(super) struct Letter {
    id: String,
    r#type: String,
    #[serde(default)]
    partitionkey: Option<String>,
    delivery_count: u32,
}

/// One with its history.
#[derive(Deserialize)]
struct Whole {
    history: Vec<Delivery>,
}

#[derive(Deserialize)]
struct Delivery {
    delivery_count: u32,
    outcome: String,
    #[serde(default)]
    reason: Option<String>,
}

impl Stage {
    /// Plays an outage of the gateway, or its end.
    pub(super) async fn gateway(&mut self, mode: &str) -> anyhow::Result<()> {
        let url = format!("{}/sandbox", self.places.of(Part::Payment));
        self.client.put::<Value>(&url, &json!({ "mode": mode })).await?;
        Ok(self.say(&format!(
            "   {} {}",
            warn("!"),
            dim(&format!("PUT /sandbox {{\"mode\":\"{mode}\"}}"))
        ))?)
    }

    /// Waits until the order's message is a dead letter; its timeline is told meanwhile.
    pub(super) async fn await_dead_letter(&mut self, watched: &mut Watched) -> anyhow::Result<Letter> {
        let deadline = Instant::now() + PATIENCE;
        let url = format!("{}/dead-letters", self.queue_url());
        loop {
            self.watch(watched, |_| true).await?;
            let letters: Vec<Letter> = self.client.list(&url).await?;
            let of_order = |letter: &Letter| letter.partitionkey.as_deref() == Some(&watched.id);
            if let Some(letter) = letters.into_iter().find(of_order) {
                return Ok(letter);
            }
            if Instant::now() >= deadline {
                bail!("order {} brought no dead letter", watched.id);
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Shows what happened to it.
    pub(super) async fn show_dead_letter(&mut self, letter: &Letter) -> anyhow::Result<()> {
        let path = format!("/queues/{QUEUE}/dead-letters/{}", letter.id);
        let url = format!("{}/dead-letters/{}", self.queue_url(), escape(&letter.id));
        let whole: Whole = self.client.get(&url).await.context("the dead letter with its history")?;
        let after = format!("after {} deliveries", letter.delivery_count);
        self.say(&format!("   {} {} is a dead letter {after}", bad("✗"), letter.r#type))?;
        self.say(&format!("     {}", dim(&format!("GET {path}"))))?;
        for delivery in whole.history {
            let reason = delivery.reason.unwrap_or_default();
            let what = format!("{}. {:<13}", delivery.delivery_count, delivery.outcome);
            self.say(&format!("       {what} {}", dim(&reason)))?;
        }
        Ok(())
    }

    /// Puts it back into its queue.
    pub(super) async fn redrive(&mut self, letter: &Letter) -> anyhow::Result<()> {
        let url = format!("{}/dead-letters/redrive", self.queue_url());
        let answer: Value = self.client.post(&url, &json!({"ids": [&letter.id]})).await?;
        ensure!(answer["redriven"] == 1, "the redrive answered {answer}");
        let call = dim(&format!("POST /queues/{QUEUE}/dead-letters/redrive"));
        Ok(self.say(&format!("   {} redriven {call}", name("↻")))?)
    }

    fn queue_url(&self) -> String {
        format!("{}/queues/{QUEUE}", self.places.of(Part::Broker))
    }
}
