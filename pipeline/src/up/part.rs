//! Running one part in this process, with its defaults.

use std::path::PathBuf;

use serve::program::Ready;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::places::Part;

/// Runs a part until `stop`. Whether it is ready is asked over HTTP, as from outside.
pub(super) async fn run(
    part: Part,
    listener: TcpListener,
    data: PathBuf,
    broker_url: String,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let ready = Ready::new();
    match part {
        Part::Broker => broker::run(listener, broker::Config::new(data), ready, stop).await,
        Part::Order => {
            let config = order_service::config::Config::new(data, broker_url);
            order_service::run(listener, config, ready, stop).await
        }
        Part::Inventory => {
            let config = inventory_service::config::Config::new(data, broker_url);
            inventory_service::run(listener, config, ready, stop).await
        }
        Part::Payment => {
            let config = payment_service::config::Config::new(data, broker_url);
            payment_service::run(listener, config, ready, stop).await
        }
        Part::Email => {
            let config = email_service::config::Config::new(data, broker_url);
            email_service::run(listener, config, ready, stop).await
        }
        Part::Analytics => {
            let config = analytics_service::config::Config::new(data, broker_url);
            analytics_service::run(listener, config, ready, stop).await
        }
    }
}
