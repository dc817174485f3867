//! The HTTP contract, held over real HTTP against a real broker on a free port and a folder of its own.
//! A module for each section of the contract.

#![allow(clippy::unwrap_used, reason = "a test that can't go on panics")]

mod access;
mod audit;
mod browsing;
mod conventions;
mod damage;
mod dead_letters;
mod events;
mod filters;
mod limits;
mod naming;
mod publishing;
mod queues;
mod receiving;
mod redrives;
mod replaying;
mod server;
mod settling;
mod subscriptions;
mod tls;
mod topics;
mod watching;
