//! An HTTP server as every program here runs it: problem details, strict JSON, pages, health, metrics,
//! logs, limits and shutdown. It knows nothing of messages or orders.

pub mod budget;
pub mod extract;
pub mod health;
pub mod http;
pub mod logs;
pub mod metrics;
pub mod openapi;
pub mod page;
pub mod problem;
pub mod program;
pub mod tls;
mod traces;
