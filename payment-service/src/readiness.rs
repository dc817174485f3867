//! Keeps `/readyz` true: without the broker no order is heard of.

use std::{sync::Arc, time::Duration};

use messaging::transport::Transport;
use serve::health::Health;
use tokio_util::sync::CancellationToken;

/// How often the broker is asked.
const EVERY: Duration = Duration::from_secs(1);

/// Watches the broker until `stop`.
pub(crate) async fn watch(transport: Arc<dyn Transport>, health: Health, stop: CancellationToken) {
    let look = async {
        loop {
            match transport.ready().await {
                Ok(()) => health.set_ready(),
                Err(error) => health.set_not_ready(error.to_string()),
            }
            tokio::time::sleep(EVERY).await;
        }
    };
    tokio::select! {
        () = stop.cancelled() => health.set_not_ready("stopping"),
        () = look => {}
    }
}
