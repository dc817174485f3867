//! What messaging promises, against a real broker, real SQLite files and real HTTP.

mod broker;
mod conformance;
mod consumer;
mod database;
mod faults;
mod handlers;
mod inbox;
mod outbox;
mod publisher;
mod relay;
mod transport;
