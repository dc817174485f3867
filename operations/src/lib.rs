//! What operators look at, alike in every service: the outbox over HTTP, and whether the service is ready.
//! What a service is for lives in the service; HTTP as every program speaks it, in `serve`.

pub mod outbox;
pub mod readiness;
