//! The payment service by its contract: what it does at the gateway on each event, whatever fails or
//! comes twice or late, and what it shows over HTTP.

#![allow(clippy::unwrap_used, reason = "a test that can't go on panics")]

mod authorizing;
mod faults;
mod flow;
mod http;
mod interference;
mod sandbox;
mod scene;
mod undoing;
