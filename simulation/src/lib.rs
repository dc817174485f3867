//! The broker simulated: random clients, faults and crashes between any two steps, time handed in, against
//! a model that is much simpler than the broker. A seed replays exactly; a failing script is shrunk to a
//! short one.
//!
//! [`workload`] draws what happens from a seed, as turns of [`operation`]s; [`clients`] make commands of
//! them; a [`layer`] decides and commits them and meets the faults; the [`model`] says what must come of
//! them, and [`invariants`] compares. [`plants`] are the bugs that show that it can fail, [`shrink`] makes
//! a failing script short, and [`campaign`] runs many seeds.

pub mod campaign;
pub mod clients;
pub mod disk;
pub mod invariants;
pub mod layer;
mod memory;
pub mod model;
pub mod operation;
pub mod plants;
pub mod play;
pub mod scenery;
pub mod shrink;
pub mod workload;
