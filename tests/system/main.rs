//! What crosses crates: the real programs as processes, real HTTP, real SQLite files, real mail files.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod access;
mod broker_trouble;
mod competing_consumers;
mod compose;
mod console;
mod contract_fuzzing;
mod dead_letters;
mod fan_out;
mod guarantees;
mod house;
mod kills;
mod lifecycle;
mod outage;
mod outbox;
mod overload;
mod payment_methods;
mod saga;
mod tls;
mod traces;
