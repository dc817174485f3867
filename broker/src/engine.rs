//! The engine: one thread that owns the core and the store. It takes what waits in the line, lets the
//! core decide it, commits all changes as one group, and only then answers.

pub mod handout;
pub mod journey;
pub mod line;
pub(crate) mod metrics;
pub(crate) mod parked;
pub(crate) mod readers;
pub(crate) mod view;
