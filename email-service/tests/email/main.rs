//! email-service: one mail an order and kind, into a maildir or by SMTP, and what it tells of them.

mod api;
mod maildir;
mod parts;
mod service;
mod smtp;
