//! The inventory service by its contract: what each event does to stock and reservations, and what it
//! shows over HTTP.

#![allow(clippy::unwrap_used, reason = "a test that can't go on panics")]

mod flow;
mod http;
mod reserving;
mod scene;
mod undoing;
