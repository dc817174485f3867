//! A durable message broker in one binary, spoken to over HTTP: the server as a library, so that tests
//! and other programs can run it in their own process.

pub mod broker;
pub mod engine;
pub mod error;
pub mod record;
pub mod store;

pub use broker::{Broker, Readiness};
pub use engine::{
    handout::{Delivery, GiveBack, Handout},
    journey::{Journey, Step},
};
pub use error::BrokerError;
