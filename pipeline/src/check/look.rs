//! Looking at everything: lists page by page, all services at once.

use std::collections::{BTreeMap, HashMap};

use super::seen::{DeadLetter, Email, Key, LedgerEntry, Order, Outbox, Queue, Reservation, Seen, StockItem};
use crate::{
    client::{Client, ClientError},
    places::{Part, Places},
};

/// The services that have an outbox.
pub(super) const WITH_OUTBOX: [Part; 3] = [Part::Order, Part::Inventory, Part::Payment];

pub(super) async fn look(client: &Client, places: &Places) -> Result<Seen, ClientError> {
    let at = |part, path| format!("{}/{path}", places.of(part));
    let (orders, keys) = (at(Part::Order, "orders"), at(Part::Order, "idempotency-keys"));
    let (ledger, emails) = (at(Part::Payment, "sandbox/ledger"), at(Part::Email, "emails"));
    let (stock, reservations) = (at(Part::Inventory, "stock"), at(Part::Inventory, "reservations"));
    let (orders, keys, ledger, emails, stock, reservations, queues, outboxes) = tokio::try_join!(
        client.list::<Order>(&orders),
        client.list::<Key>(&keys),
        client.list::<LedgerEntry>(&ledger),
        client.list::<Email>(&emails),
        client.list::<StockItem>(&stock),
        client.list::<Reservation>(&reservations),
        queues(client, places),
        outboxes(client, places),
    )?;
    let dead_letters = dead_letters(client, places, &queues).await?;
    Ok(Seen {
        ledger: by_order(ledger, |entry| &entry.order_id),
        emails: by_order(emails, |email| &email.order_id),
        reservations: reservations.into_iter().map(|held| (held.order_id.clone(), held)).collect(),
        orders,
        stock,
        queues,
        dead_letters,
        outboxes,
        keys,
    })
}

pub(super) async fn queues(client: &Client, places: &Places) -> Result<Vec<Queue>, ClientError> {
    client.list(&format!("{}/queues", places.of(Part::Broker))).await
}

pub(super) async fn outboxes(client: &Client, places: &Places) -> Result<Vec<(Part, Outbox)>, ClientError> {
    let asked = WITH_OUTBOX.map(|part| async move {
        let outbox = client.get(&format!("{}/outbox", places.of(part))).await?;
        Ok((part, outbox))
    });
    futures_util::future::try_join_all(asked).await
}

pub(super) async fn dead_letters(
    client: &Client,
    places: &Places,
    queues: &[Queue],
) -> Result<BTreeMap<String, Vec<DeadLetter>>, ClientError> {
    let mut letters = BTreeMap::new();
    for queue in queues.iter().filter(|queue| queue.counts.dead > 0) {
        let url = format!("{}/queues/{}/dead-letters", places.of(Part::Broker), queue.name);
        letters.insert(queue.name.clone(), client.list(&url).await?);
    }
    Ok(letters)
}

fn by_order<T>(items: Vec<T>, order: impl Fn(&T) -> &String) -> HashMap<String, Vec<T>> {
    let mut by_order = HashMap::<String, Vec<T>>::new();
    for item in items {
        by_order.entry(order(&item).clone()).or_default().push(item);
    }
    by_order
}
