//! A durable message broker in one binary, spoken to over HTTP: the server as a library, so that tests
//! and other programs can run it in their own process.
//!
//! [`run`] is a whole broker on a listener. Inside: [`api`] is the HTTP contract, `console` the page that a
//! browser is given, [`auth`] who may do what, [`engine`] the thread that decides and commits, [`store`] the
//! disk, [`maintenance`] what is done with a data folder beside it, [`record`] how an event is stored. The
//! rules are in the crate `broker-core`.

pub mod api;
pub mod auth;
pub mod broker;
pub mod cli;
pub mod config;
mod console;
pub mod engine;
pub mod error;
pub mod filter;
pub mod maintenance;
pub mod record;
mod run;
pub mod store;

pub use broker::{Broker, Readiness};
pub use config::Config;
pub use engine::{
    handout::{Delivery, GiveBack, Handout},
    journey::{Journey, Step},
    note::Note,
};
pub use error::BrokerError;
pub use run::run;
