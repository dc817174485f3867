//! A payment service without its server: real database, real sandbox, events handed in.

use std::{path::Path, sync::Arc, time::Duration};

use events::{CancelReason, Customer, Line, Money, Order, OrderCancelled, OrderId, Sku, kind};
use messaging::{Database, Event, Failure, Handler, Outbox};
use payment_service::{
    cashier::Cashier,
    gateway::{Gateway, Operation, sandbox::Sandbox},
    handlers::Handlers,
    payment::Payment,
    store,
};
use tempfile::TempDir;
use units::Timestamp;

/// How long the scene's cashier waits for the gateway.
pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(3);

/// One instance on a data folder.
pub(crate) struct Scene {
    folder: Arc<TempDir>,
    pub(crate) database: Database,
    pub(crate) sandbox: Sandbox,
    pub(crate) cashier: Cashier,
    handlers: Arc<Handlers>,
}

impl Scene {
    /// An instance on an empty folder.
    pub(crate) async fn new() -> Self {
        Self::with_gateway(|sandbox| Arc::new(sandbox)).await
    }

    /// An instance on an empty folder, with a gateway made of its sandbox.
    pub(crate) async fn with_gateway(gateway: impl FnOnce(Sandbox) -> Arc<dyn Gateway>) -> Self {
        Self::on(Arc::new(tempfile::tempdir().unwrap()), gateway).await
    }

    /// Another instance on the same folder.
    pub(crate) async fn beside(&self) -> Self {
        Self::on(Arc::clone(&self.folder), |sandbox| Arc::new(sandbox)).await
    }

    async fn on(folder: Arc<TempDir>, gateway: impl FnOnce(Sandbox) -> Arc<dyn Gateway>) -> Self {
        let file = |name: &str| -> std::path::PathBuf { Path::join(folder.path(), name) };
        let database = Database::open(&file("payment.db"), &store::MIGRATOR).await.unwrap();
        let sandbox = Sandbox::open_file(&file("sandbox.db")).await.unwrap();
        let outbox = Outbox::new(database.clone());
        let cashier = Cashier::new(database.clone(), outbox, gateway(sandbox.clone()), TIME_LIMIT);
        let handlers = Arc::new(Handlers::new(cashier.clone()));
        Self { folder, database, sandbox, cashier, handlers }
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

    /// The payment as it is committed.
    pub(crate) async fn payment(&self, order: &Order) -> Payment {
        store::get(self.database.reader(), order.order_id).await.unwrap().unwrap().payment
    }

    /// What the gateway carried out for an order.
    pub(crate) async fn ledger(&self, order: &Order) -> Vec<Operation> {
        let page = self.sandbox.ledger().page(Some(order.order_id), 0, 1000).await.unwrap();
        assert!(page.items.iter().all(|line| line.amount == order.total));
        page.items.into_iter().map(|line| line.operation).collect()
    }

    /// The types of the events that were told of an order, oldest first.
    pub(crate) async fn told(&self, order: &Order) -> Vec<String> {
        sqlx::query_scalar("SELECT type FROM outbox WHERE key = ?1 ORDER BY position")
            .bind(order.order_id.to_string())
            .fetch_all(self.database.reader())
            .await
            .unwrap()
    }

    /// The last event that was told of an order.
    pub(crate) async fn last_told(&self, order: &Order) -> Event {
        let bytes: Vec<u8> =
            sqlx::query_scalar("SELECT event FROM outbox WHERE key = ?1 ORDER BY position DESC LIMIT 1")
                .bind(order.order_id.to_string())
                .fetch_one(self.database.reader())
                .await
                .unwrap();
        Event::from_json(bytes.into()).unwrap()
    }
}

/// An order of one mug, paid by that method.
pub(crate) fn order(method: &str) -> Order {
    let price = Money::eur(1299);
    Order {
        order_id: OrderId::new(),
        customer: Customer { name: "Ada".to_owned(), email: "ada@example.com".to_owned() },
        lines: vec![Line { sku: Sku::new("mug"), name: "Mug".to_owned(), quantity: 1, price }],
        total: price,
        payment_method: method.to_owned(),
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
    let data = OrderCancelled { order: order.clone(), reason: CancelReason::CancelledByCustomer };
    placed(order).caused("/order-service", kind::ORDER_CANCELLED, &data)
}
