//! A message in a client's hands.

use anyhow::{Context, bail};
use serde_json::Value;

/// One delivery, by what its answer says. A receipt is `QUEUE-MESSAGE-LEASE`, and a later lease of a message
/// has a greater number: so it is known which of two deliveries is the newer, whichever answer came first.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub(super) queue: usize,
    pub(super) number: u64,
    pub(super) message: u64,
    pub(super) lease: u64,
    pub(super) receipt: String,
}

impl Delivery {
    pub(super) fn read(queue: usize, delivery: &Value) -> anyhow::Result<Self> {
        let receipt = delivery["receipt"].as_str().context("a delivery has a receipt")?.to_owned();
        let number = delivery["message"]["id"].as_str().context("a message has an id")?.parse()?;
        let parts: Vec<u64> = receipt.split('-').map(str::parse).collect::<Result<_, _>>()?;
        let [_, message, lease] = parts[..] else { bail!("{receipt} is no receipt") };
        Ok(Self { queue, number, message, lease, receipt })
    }
}
