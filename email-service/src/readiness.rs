//! Keeps `/readyz` true: it is ready while all its consumers get their work done.

use std::time::Duration;

use messaging::status::Status;
use serve::health::Health;
use tokio_util::sync::CancellationToken;

/// How often it is looked.
const EVERY: Duration = Duration::from_millis(100);

/// Watches the consumers until `stop`.
pub(crate) async fn watch(consumers: Vec<Status>, health: Health, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match consumers.iter().find_map(Status::trouble) {
            None => health.set_ready(),
            Some(trouble) => health.set_not_ready(trouble),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
    }
    health.set_not_ready("stopping");
}
