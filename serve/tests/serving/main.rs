//! The server over real HTTP, on a free port, with handlers made for what is to be seen.

#![allow(clippy::unwrap_used, reason = "a test that can't go on panics")]

mod handlers;
mod http2;
mod large_bodies;
mod places;
mod server;
mod unread_answers;
