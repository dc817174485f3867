//! An inventory service without its server: a real database, events handed in.

use std::{path::Path, sync::Arc};

use events::{CancelReason, Customer, Line, Money, Order, OrderCancelled, OrderId, Sku, kind};
use inventory_service::{handlers::Handlers, reservation::State, stock::Stock, store};
use messaging::{Database, DatabaseError, Event, Failure, Handler, Outbox};
use tempfile::TempDir;
use units::Timestamp;

/// One instance on a data folder.
pub(crate) struct Scene {
    folder: Arc<TempDir>,
    pub(crate) database: Database,
    handlers: Arc<Handlers>,
}

impl Scene {
    /// An instance on an empty folder.
    pub(crate) async fn new() -> Self {
        Self::on(Arc::new(tempfile::tempdir().unwrap())).await
    }

    /// Another instance on the same folder.
    pub(crate) async fn beside(&self) -> Self {
        Self::on(Arc::clone(&self.folder)).await
    }

    async fn on(folder: Arc<TempDir>) -> Self {
        let file = Path::join(folder.path(), "inventory.db");
        let database = Database::open(&file, &store::MIGRATOR).await.unwrap();
        let handlers = Arc::new(Handlers::new(database.clone(), Outbox::new(database.clone())));
        Self { folder, database, handlers }
    }

    /// Its data folder.
    pub(crate) fn folder(&self) -> std::path::PathBuf {
        self.folder.path().to_owned()
    }

    /// Delivers an event.
    pub(crate) async fn deliver(&self, event: &Event) -> Result<(), Failure> {
        self.handlers.handle(event).await
    }

    /// Delivers an event in a task of its own.
    pub(crate) fn deliver_aside(&self, event: &Event) -> tokio::task::JoinHandle<Result<(), Failure>> {
        let (handlers, event) = (Arc::clone(&self.handlers), event.clone());
        tokio::spawn(async move { handlers.handle(&event).await })
    }

    /// Sets what is on hand.
    pub(crate) async fn stock_up(&self, sku: &str, on_hand: i64) {
        let sku = Sku::new(sku);
        let set = self.database.write(move |connection| {
            Box::pin(async move {
                let set = store::set_on_hand(connection, &sku, on_hand).await;
                set.map_err(DatabaseError::from)
            })
        });
        set.await.unwrap();
    }

    /// The stock of a SKU; that nothing is lost or made holds at every look.
    pub(crate) async fn stock(&self, sku: &str) -> Stock {
        let mut connection = self.database.reader().acquire().await.unwrap();
        let stock = store::on_hand(&mut connection, &Sku::new(sku)).await.unwrap().unwrap();
        assert_eq!(stock.received, stock.on_hand + stock.committed);
        assert!(stock.available() >= 0);
        stock
    }

    /// On hand, reserved and committed pieces of a SKU.
    pub(crate) async fn pieces(&self, sku: &str) -> (i64, i64, i64) {
        let stock = self.stock(sku).await;
        (stock.on_hand, stock.reserved, stock.committed)
    }

    /// How an order's reservation stands.
    pub(crate) async fn state(&self, order: &Order) -> Option<State> {
        let found = store::get(self.database.reader(), order.order_id).await.unwrap();
        found.map(|reservation| reservation.state)
    }

    /// The events that were told of an order, oldest first.
    pub(crate) async fn told(&self, order: &Order) -> Vec<Event> {
        let rows: Vec<Vec<u8>> =
            sqlx::query_scalar("SELECT event FROM outbox WHERE key = ?1 ORDER BY position")
                .bind(order.order_id.to_string())
                .fetch_all(self.database.reader())
                .await
                .unwrap();
        rows.into_iter().map(|bytes| Event::from_json(bytes.into()).unwrap()).collect()
    }

    /// Their types.
    pub(crate) async fn told_kinds(&self, order: &Order) -> Vec<String> {
        self.told(order).await.iter().map(|event| event.kind().to_owned()).collect()
    }
}

/// An order of those lines.
pub(crate) fn order(lines: &[(&str, u32)]) -> Order {
    let line = |(sku, quantity): &(&str, u32)| Line {
        sku: Sku::new(sku),
        name: (*sku).to_owned(),
        quantity: *quantity,
        price: Money::eur(100),
    };
    Order {
        order_id: OrderId::new(),
        customer: Customer { name: "Ada".to_owned(), email: "ada@example.com".to_owned() },
        lines: lines.iter().map(line).collect(),
        total: Money::eur(100),
        payment_method: "pm_card_visa".to_owned(),
        placed_at: Timestamp::now(),
    }
}

/// Its `order.placed`.
pub(crate) fn placed(order: &Order) -> Event {
    Event::new("/order-service", kind::ORDER_PLACED, order)
        .with_partition_key(order.order_id.to_string())
        .with_correlation_id("conversation")
}

/// Its `order.confirmed`.
pub(crate) fn confirmed(order: &Order) -> Event {
    placed(order).caused("/order-service", kind::ORDER_CONFIRMED, order)
}

/// Its `order.cancelled`.
pub(crate) fn cancelled(order: &Order) -> Event {
    let data = OrderCancelled { order: order.clone(), reason: CancelReason::PaymentDeclined };
    placed(order).caused("/order-service", kind::ORDER_CANCELLED, &data)
}
