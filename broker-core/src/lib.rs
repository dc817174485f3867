//! The broker's rules: a pure, deterministic state machine. No I/O, no clock, no async, and no
//! randomness but what a seed hands in.

mod agenda;
mod backoff;
pub mod change;
pub mod command;
pub mod core;
pub mod counters;
mod dead_letter;
mod deduplication;
pub mod identity;
mod lease;
mod message;
mod number_map;
mod ordering;
mod queue;
pub mod reply;
pub mod restore;
pub mod settings;
mod settings_check;
mod slab;
mod topic;
mod turn;
pub mod view;

pub use core::Core;
pub use restore::Restore;
