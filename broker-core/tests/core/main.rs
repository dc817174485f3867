//! The broker's rules as its contract states them, a module a section; time is handed in.

#![allow(clippy::unwrap_used, reason = "a test that can't go on panics")]

mod beginning;
mod bench;
mod choosing;
mod dead_letters;
mod declaring;
mod deduplicating;
mod disk;
mod filtering;
mod life;
mod limits;
mod looking;
mod ordering;
mod pacing;
mod publishing;
mod receiving;
mod replaying;
mod restarting;
mod settling;
mod topics;
