//! Events as the services tell them, and the parts that the tests put together.

use std::path::Path;

use email_service::{config::Config, handlers::Handlers, mailbox::Mailbox, store::Store};
use events::{CancelReason, Customer, Line, Money, Order, OrderCancelled, OrderId, Payment, Sku, kind};
use messaging::event::Event;
use serde::Serialize;
use units::Timestamp;

pub(crate) fn order() -> Order {
    let price = Money::eur(1299);
    Order {
        order_id: OrderId::new(),
        customer: Customer { name: "Ada".to_owned(), email: "ada@example.com".to_owned() },
        lines: vec![Line { sku: Sku::new("mug"), name: "Mug".to_owned(), quantity: 1, price }],
        total: price,
        payment_method: "pm_card_visa".to_owned(),
        placed_at: Timestamp::now(),
    }
}

pub(crate) fn placed(order: &Order) -> Event {
    event(kind::ORDER_PLACED, order.order_id, order)
}

pub(crate) fn confirmed(order: &Order) -> Event {
    event(kind::ORDER_CONFIRMED, order.order_id, order)
}

pub(crate) fn cancelled(order: &Order, reason: CancelReason) -> Event {
    event(kind::ORDER_CANCELLED, order.order_id, &OrderCancelled { order: order.clone(), reason })
}

pub(crate) fn refunded(order: &Order) -> Event {
    event(kind::PAYMENT_REFUNDED, order.order_id, &payment(order))
}

pub(crate) fn captured(order: &Order) -> Event {
    event(kind::PAYMENT_CAPTURED, order.order_id, &payment(order))
}

fn payment(order: &Order) -> Payment {
    Payment { order_id: order.order_id, customer: order.customer.clone(), amount: order.total }
}

pub(crate) fn event(kind: &str, order: OrderId, data: &impl Serialize) -> Event {
    Event::new("/test", kind, data).with_partition_key(order.to_string())
}

/// Handlers on a data folder, without a broker.
pub(crate) async fn handlers(config: &Config) -> Handlers {
    Handlers {
        queue: events::queue::EMAIL_ORDERS,
        store: Store::open(&config.data).await.unwrap(),
        mailbox: Mailbox::open(config).unwrap(),
        sender: config.mail_from.clone(),
    }
}

/// A service that would send to a maildir in that folder.
pub(crate) fn config(data: &Path) -> Config {
    Config::new(data.to_owned(), "http://127.0.0.1:1".to_owned())
}

/// The mails in the maildir of a data folder: name and text, by name.
pub(crate) fn files(data: &Path) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(data.join("mail/new")).unwrap();
    let mut files: Vec<_> = entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    files.sort();
    files
}
