//! Who may do what: tokens with roles on names, the file that keeps them, and the guard that every call
//! passes. What needs which role stands in [`need`], in one table.
//!
//! A broker without tokens lets everybody who can reach it do everything; that is why it then serves
//! loopback addresses only, unless it is told otherwise.

mod caller;
pub(crate) mod file;
pub mod grant;
pub(crate) mod guard;
pub mod local;
pub(crate) mod need;
mod origin;
pub mod pattern;
pub(crate) mod reach;
pub mod secret;
pub mod tokens;

pub use caller::{ANONYMOUS, Caller};
