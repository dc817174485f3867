//! order-service: takes orders over HTTP, and sees each through to confirmed or cancelled by what
//! inventory and payment say. Start it with [`run`]; the way of an order is told in [`saga`].

pub mod api;
pub mod catalogue;
pub mod changes;
pub mod config;
pub mod deadline;
pub mod handlers;
pub mod idempotency;
mod notes;
pub mod order;
pub mod product;
pub mod saga;
mod service;
pub mod store;

pub use config::Config;
pub use service::run;
