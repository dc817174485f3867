//! The whole pipeline on one machine: `up` runs it, `demo` shows it, `load` loads it, `check` proves
//! that nothing went wrong. All of them speak to the parts over HTTP, as anybody would.

pub mod check;
pub mod client;
pub mod command;
pub mod demo;
pub mod load;
pub mod paint;
pub mod places;
pub mod shop;
pub mod up;
