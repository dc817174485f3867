//! What a service needs to take part: the event, the transport that carries it, publisher and consumer,
//! the database with group commit, outbox and relay, inbox. It knows no service and no broker's inside.
//!
//! A service keeps three promises with it: what it says is said if and only if its own commit holds
//! ([`outbox`], [`relay`]); what it hears takes effect once, however often it is delivered ([`inbox`]);
//! and a fault of the moment never costs a message ([`failure`], [`consumer`]).
//!
//! A handler that keeps all three:
//! ```
//! # use messaging::{Database, Event, Failure, Outbox, outbox};
//! async fn on_order_placed(database: &Database, outbox: &Outbox, event: &Event) -> Result<(), Failure> {
//!     let (cause, order) = (event.clone(), event.decode::<serde_json::Value>()?);
//!     let reserve = database.hear("inventory", event, move |connection| {
//!         Box::pin(async move {
//!             // The effect, on the same connection; then what is said of it:
//!             let reserved = cause.caused("/inventory", "stock.reserved", &order);
//!             Ok::<_, Failure>(outbox::add(connection, "stock", &reserved).await?)
//!         })
//!     });
//!     reserve.await?;
//!     outbox.notify();
//!     Ok(())
//! }
//! ```

pub mod conformance;
pub mod consumer;
pub mod database;
pub mod event;
pub mod failure;
pub mod inbox;
mod outage;
pub mod outbox;
pub mod publisher;
pub mod relay;
pub mod status;
pub mod topology;
pub mod trace_context;
pub mod transport;

pub use consumer::{Consumer, Handler};
pub use database::{Batched, Database, DatabaseError};
pub use event::Event;
pub use failure::Failure;
pub use outbox::Outbox;
pub use publisher::Publisher;
pub use relay::Relay;
pub use status::Status;
pub use topology::Topology;
pub use transport::{Destination, Transport};
