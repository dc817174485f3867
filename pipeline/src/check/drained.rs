//! Drained: two looks a second apart find in both nothing that moves or could move. Only then do the
//! invariants hold.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::Deserialize;
use tokio::time::{Instant, sleep};

use super::{
    CheckError,
    apart::Apart,
    look,
    seen::{Order, Seen},
};
use crate::{
    client::{Client, ClientError},
    places::{Part, Places},
};

/// How far the two looks are apart.
const APART: Duration = Duration::from_secs(1);
/// How many of each thing that moves are named.
const NAMED: usize = 5;

/// What still moved at the last look.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct NotDrained(Vec<String>);

impl fmt::Display for NotDrained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

/// One look: what moves, and the totals by which a move between two looks is seen.
#[derive(Clone, Debug, Default)]
struct Look {
    moving: Vec<String>,
    totals: BTreeMap<String, (i64, i64)>,
}

/// A payment with a gateway operation that is not known to have ended.
#[derive(Deserialize)]
struct OpenIntent {
    order_id: String,
}

/// Waits until drained, at least for two looks, at most for `patience` longer.
pub(super) async fn wait(client: &Client, places: &Places, patience: Duration) -> Result<(), CheckError> {
    let deadline = Instant::now() + patience;
    let mut before = look_once(client, places).await?;
    loop {
        sleep(APART).await;
        let now = look_once(client, places).await?;
        let Err(not_drained) = still(&before, &now) else { return Ok(()) };
        if Instant::now() >= deadline {
            return Err(not_drained.into());
        }
        before = now;
    }
}

/// Whether nothing moved in, or between, two looks.
fn still(before: &Look, now: &Look) -> Result<(), NotDrained> {
    if !now.moving.is_empty() || !before.moving.is_empty() {
        let moving = if now.moving.is_empty() { &before.moving } else { &now.moving };
        return Err(NotDrained(moving.clone()));
    }
    let changed: Vec<_> = now
        .totals
        .iter()
        .filter(|(queue, totals)| before.totals.get(*queue) != Some(totals))
        .map(|(queue, _)| format!("{queue} published or acked between two looks"))
        .collect();
    if changed.is_empty() { Ok(()) } else { Err(NotDrained(changed)) }
}

async fn look_once(client: &Client, places: &Places) -> Result<Look, ClientError> {
    let (queues, outboxes) = tokio::try_join!(look::queues(client, places), look::outboxes(client, places))?;
    let mut look = Look::default();
    for queue in &queues {
        let counts = &queue.counts;
        look.totals.insert(queue.name.clone(), (counts.published, counts.acked));
        for (count, state) in
            [(counts.ready, "ready"), (counts.leased, "leased"), (counts.delayed, "delayed")]
        {
            if count > 0 {
                look.moving.push(format!("{count} {state} in {}", queue.name));
            }
        }
    }
    for (part, outbox) in outboxes.iter().filter(|(_, outbox)| outbox.depth > 0) {
        look.moving.push(format!("{} in the outbox of {part}", outbox.depth));
    }
    // Costly only where dead letters abound, and pointless while something moves anyway.
    if look.moving.is_empty() {
        let dead_letters = look::dead_letters(client, places, &queues).await?;
        let apart = Apart::of(&Seen { dead_letters, outboxes, ..Seen::default() });
        let (pending, intents) =
            tokio::try_join!(pending_orders(client, places), open_intents(client, places))?;
        look.moving.extend(undecided("pending orders", pending, &apart));
        look.moving.extend(undecided("open gateway intents", intents, &apart));
    }
    Ok(look)
}

/// Those of the orders that move on their own: nobody has to decide on them.
fn undecided(what: &str, orders: Vec<String>, apart: &Apart) -> Option<String> {
    let orders: Vec<String> = orders.into_iter().filter(|order| !apart.names(order)).collect();
    let some = !orders.is_empty();
    some.then(|| format!("{} {what} ({})", orders.len(), named(&orders)))
}

async fn pending_orders(client: &Client, places: &Places) -> Result<Vec<String>, ClientError> {
    let url = format!("{}/orders?status=pending", places.of(Part::Order));
    let orders: Vec<Order> = client.list(&url).await?;
    Ok(orders.into_iter().map(|order| order.id).collect())
}

async fn open_intents(client: &Client, places: &Places) -> Result<Vec<String>, ClientError> {
    let url = format!("{}/payments?open=true", places.of(Part::Payment));
    let open: Vec<OpenIntent> = client.list(&url).await?;
    Ok(open.into_iter().map(|payment| payment.order_id).collect())
}

/// The first few, and that there are more.
fn named(ids: &[String]) -> String {
    let more = if ids.len() > NAMED { ", …" } else { "" };
    format!("{}{more}", ids[..ids.len().min(NAMED)].join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(moving: &[&str], totals: &[(&str, i64, i64)]) -> Look {
        Look {
            moving: moving.iter().map(|&text| text.to_owned()).collect(),
            totals: totals.iter().map(|(name, out, back)| ((*name).to_owned(), (*out, *back))).collect(),
        }
    }

    #[test]
    fn two_looks_that_find_nothing_and_the_same_totals_are_drained() {
        let quiet = look(&[], &[("a", 3, 3)]);
        assert_eq!(still(&quiet, &quiet), Ok(()));
    }

    #[test]
    fn what_moved_in_either_look_is_told() {
        let (quiet, busy) = (look(&[], &[]), look(&["2 ready in a"], &[]));
        for (before, now) in [(&quiet, &busy), (&busy, &quiet)] {
            assert_eq!(still(before, now).unwrap_err().to_string(), "2 ready in a");
        }
    }

    #[test]
    fn a_message_that_came_and_went_between_the_looks_is_seen_by_the_totals() {
        let (before, now) = (look(&[], &[("a", 3, 3)]), look(&[], &[("a", 4, 4)]));
        assert!(still(&before, &now).unwrap_err().to_string().contains('a'));
    }
}
