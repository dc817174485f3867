//! The checker against a pipeline that is told, not run: each invariant turns red for what breaks it,
//! and for nothing else.

mod checker;
mod told;
