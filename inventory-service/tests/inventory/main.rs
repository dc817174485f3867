//! The inventory service by its contract: what each event does to stock and reservations, and what it
//! shows over HTTP.

mod flow;
mod http;
mod reserving;
mod scene;
mod undoing;
