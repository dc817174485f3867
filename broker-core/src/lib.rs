//! The broker's rules: a pure, deterministic state machine. No I/O, no clock, no async, and no
//! randomness but what a seed hands in.
//!
//! [`Core::apply`] carries out a [`command`] and yields a [`reply`] and, through
//! [`Effects`](change::Effects), the [`change`]s that the store writes. [`Core::tick`] does what falls due
//! by time alone. A core is [restored](restore::Restore) from what the store kept.
//!
//! # A message's life in one queue
//!
//! A message is stored once and has a copy in each queue that took it; each copy lives for itself.
//!
//! ```mermaid
//! stateDiagram-v2
//!     new --> ready: publish
//!     new --> delayed: publish with a delay
//!     new --> dead: publish, subscriber full
//!     delayed --> ready: due
//!     ready --> leased: receive
//!     ready --> gone: receive with auto-ack
//!     leased --> gone: ack
//!     leased --> delayed: nack
//!     leased --> ready: nack uncounted
//!     leased --> ready: lease expired
//!     leased --> dead: last failure
//!     leased --> dead: nack, dead_letter
//!     ready --> gone: expiry
//!     ready --> dead: expiry, on_expiry
//!     ready --> gone: overflow
//!     ready --> dead: overflow, oldest
//!     ready --> dead: damaged
//!     leased --> dead: damaged
//!     ready --> gone: purge
//!     delayed --> gone: purge
//!     delayed --> gone: remove
//!     dead --> ready: redrive
//!     gone --> ready: replay
//!     dead --> gone: discard
//!     dead --> gone: retention
//! ```
//!
//! # What always holds
//!
//! - A message keeps its place in the queue, (when it could first be received, its number), through
//!   failures, returns and redrives.
//! - Of a lane (a key, or a whole fifo queue) at most one message is leased, and it is handed out only
//!   when no older one of the lane waits or backs off.
//! - At most one receipt of a copy is good at any time; all older ones are fenced off.
//! - Each queue's counters add up, see [`QueueCounters`](counters::QueueCounters).
//! - A refusal changes nothing but the count of refused messages.
//! - No step takes longer than what it was asked for, and [`Core::tick`] works in slices.

pub mod activity;
mod agenda;
mod backoff;
pub mod change;
pub mod choice;
pub mod command;
pub mod core;
pub mod counters;
mod dead_letter;
mod deduplication;
pub mod filter;
pub mod identity;
mod lease;
mod message;
mod number_map;
mod ordering;
mod queue;
mod redrive;
pub mod reply;
pub mod restore;
pub mod settings;
mod settings_check;
mod slab;
mod topic;
mod turn;
pub mod view;

pub use core::Core;
pub use restore::{Restore, Why};
