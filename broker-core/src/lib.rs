//! The broker's rules: a pure, deterministic state machine. No I/O, no clock, no async, and no
//! randomness but what a seed hands in.

pub mod change;
pub mod command;
pub mod core;
pub mod counters;
pub mod identity;
pub mod reply;
pub mod restore;
pub mod settings;
pub mod view;

pub use core::Core;
pub use restore::Restore;
