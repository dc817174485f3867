//! Keeps `/readyz` true: ready while the consumer hears orders and the relay tells what came of them.

use std::time::Duration;

use messaging::status::Status;
use serve::health::Health;
use tokio_util::sync::CancellationToken;

/// How often it is looked.
const EVERY: Duration = Duration::from_millis(200);

/// Watches consumer and relay until `stop`.
pub(crate) async fn watch(workers: [Status; 2], health: Health, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match workers.iter().find_map(Status::trouble) {
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
