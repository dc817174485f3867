//! What the system tests stand on: the real programs as processes, spoken to over HTTP.

#![allow(clippy::print_stdout, reason = "a skipped test says so where its reader looks")]

pub mod apart;
pub mod browser;
pub mod eventually;
pub mod http;
pub mod kills;
pub mod overload;
pub mod programs;
pub mod shop;
pub mod skip;
