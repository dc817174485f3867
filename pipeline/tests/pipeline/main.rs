//! The checker against a pipeline that is told, not run: each invariant turns red for what breaks it,
//! and for nothing else. And the programs as a closed terminal ends them.

#![allow(clippy::unwrap_used, reason = "a test that can't go on panics")]

mod checker;
mod hang_up;
mod told;
