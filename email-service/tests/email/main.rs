//! email-service: one mail an order and kind, into a maildir or by SMTP, and what it tells of them.

#![allow(clippy::unwrap_used, reason = "a test that can't go on panics")]

mod api;
mod maildir;
mod parts;
mod service;
mod smtp;
