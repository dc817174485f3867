//! Keeps `/readyz` true: ready while every worker, be it a consumer or a relay, gets its work done.

use std::time::Duration;

use messaging::status::Status;
use serve::health::Health;
use tokio_util::sync::CancellationToken;

/// How often it is looked.
const EVERY: Duration = Duration::from_millis(200);

/// Watches the workers until `stop`; the first that is in trouble says why the service is not ready.
pub async fn watch(workers: &[Status], health: Health, stop: CancellationToken) {
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
