//! What messaging promises, against a real broker, real SQLite files and real HTTP.

#![allow(clippy::unwrap_used)] // in a test a panic is the answer

mod batch;
mod broker;
mod conformance;
mod consumer;
mod database;
mod declaring;
mod faults;
mod handlers;
mod inbox;
mod observing;
mod outbox;
mod publisher;
mod relay;
mod transport;
