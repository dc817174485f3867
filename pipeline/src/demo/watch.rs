//! Watching one order: its timeline as it happens, a line a happening, and the mails it brought.

use std::time::Duration;

use anyhow::{Context, bail};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{PATIENCE, Stage};
use crate::{
    check::Email,
    paint::{bad, dim, good, name, warn},
    places::Part,
    shop::{Basket, Happening, Placed},
};

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_millis(15);

/// An order that is watched.
pub(super) struct Watched {
    pub(super) id: String,
    /// How many happenings were told.
    told: usize,
}

impl Stage {
    /// Places an order and tells it.
    pub(super) async fn place(&mut self, basket: &Basket) -> anyhow::Result<Watched> {
        let key = Uuid::now_v7();
        let order = self.shop.place(key, basket, PATIENCE).await?;
        self.answered.note(key.to_string(), &order.id);
        let lines: Vec<_> =
            order.lines.iter().map(|line| format!("{} x {}", line.quantity, line.sku)).collect();
        let line = format!("{}, {}, by {}", lines.join(" + "), order.total, basket.payment_method());
        self.say(&format!("   order {} {}", name(&order.id), dim(&line)))?;
        Ok(Watched { id: order.id, told: 0 })
    }

    /// Tells an order's timeline as it happens, until `done`.
    pub(super) async fn watch(
        &mut self,
        watched: &mut Watched,
        done: impl Fn(&Placed) -> bool,
    ) -> anyhow::Result<Placed> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let order = self.shop.look(&watched.id).await?;
            self.tell(watched, &order)?;
            if done(&order) {
                return Ok(order);
            }
            if Instant::now() >= deadline {
                bail!("order {} is {} and does not get on", order.id, order.status);
            }
            sleep(LOOK_EVERY).await;
        }
    }

    fn tell(&mut self, watched: &mut Watched, order: &Placed) -> anyhow::Result<()> {
        let first = order.timeline.first().context("an order without a timeline")?.at;
        for happening in order.timeline.iter().skip(watched.told) {
            let after = happening.at.since(first).as_secs_f64();
            self.say(&format!("     {} {}", dim(&format!("+{after:6.3} s")), in_words(happening)))?;
        }
        watched.told = order.timeline.len();
        Ok(())
    }

    /// Tells how the order ended, with the mails that it must have brought.
    pub(super) async fn conclude(&mut self, order: &Placed, mails: &[&str]) -> anyhow::Result<()> {
        self.mails_sent(&order.id, mails).await?;
        let status = match (order.status.as_str(), &order.reason) {
            ("confirmed", _) => good("confirmed"),
            (status, Some(reason)) => warn(&format!("{status}: {reason}")),
            (status, None) => bad(status),
        };
        Ok(self.say(&format!(
            "     {} {} {}",
            dim("="),
            status,
            dim(&format!("mailed {}", mails.join(", ")))
        ))?)
    }

    /// Waits until just these mails of an order are sent.
    async fn mails_sent(&self, order: &str, mails: &[&str]) -> anyhow::Result<()> {
        let url = format!("{}/emails?order={order}", self.places.of(Part::Email));
        let deadline = Instant::now() + PATIENCE;
        loop {
            let sent: Vec<Email> = self.client.list(&url).await?;
            if sent.len() >= mails.len()
                && mails.iter().all(|kind| sent.iter().any(|mail| mail.kind == *kind))
            {
                return Ok(());
            }
            if Instant::now() >= deadline {
                bail!("order {order} brought {} mails, not {}", sent.len(), mails.join(", "));
            }
            sleep(LOOK_EVERY).await;
        }
    }
}

fn in_words(happening: &Happening) -> String {
    let what = match happening.what.as_str() {
        what if what.contains("confirmed") || what.contains("captured") => good(what),
        what if what.contains("cancelled") || what.contains("declined") || what.contains("rejected") => {
            warn(what)
        }
        what => what.to_owned(),
    };
    match &happening.detail {
        Some(detail) => format!("{what} {}", dim(detail)),
        None => what,
    }
}

/// Whether that has happened to an order.
pub(super) fn happened(order: &Placed, what: &str) -> bool {
    order.timeline.iter().any(|happening| happening.what == what)
}
