//! The payment service by its contract: what it does at the gateway on each event, whatever fails or
//! comes twice or late, and what it shows over HTTP.

mod authorizing;
mod faults;
mod flow;
mod http;
mod interference;
mod sandbox;
mod scene;
mod undoing;
