//! order-service held to SERVICES.md: a real server on a free port, a real database, real HTTP; and where
//! events travel, a real broker. A module a section of the contract.

#![allow(clippy::unwrap_used, reason = "a test that can't go on panics")]

mod broker_at;
mod cancelling;
mod deadlines;
mod hearing;
mod idempotency;
mod listing;
mod outbox;
mod placing;
mod products;
mod program;
mod reading;
mod shop;
mod starting;
mod travelling;
