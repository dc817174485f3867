//! Running one part in this process, with its defaults.

use std::path::PathBuf;

use messaging::transport::Token;
use serve::program::Ready;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::places::Part;

/// How a service reaches the broker.
#[derive(Clone, Debug)]
pub(super) struct ToBroker {
    pub(super) url: String,
    pub(super) token: Option<Token>,
}

/// Runs a part until `stop`. Whether it is ready is asked over HTTP, as from outside.
pub(super) async fn run(
    part: Part,
    listener: TcpListener,
    data: PathBuf,
    broker: ToBroker,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let ready = Ready::new();
    match part {
        Part::Broker => broker::run(listener, broker::Config::new(data), ready, stop).await,
        Part::Order => {
            let defaults = order_service::config::Config::new(data, broker.url);
            let config = order_service::config::Config { broker_token: broker.token, ..defaults };
            order_service::run(listener, config, ready, stop).await
        }
        Part::Inventory => {
            let defaults = inventory_service::config::Config::new(data, broker.url);
            let config = inventory_service::config::Config { broker_token: broker.token, ..defaults };
            inventory_service::run(listener, config, ready, stop).await
        }
        Part::Payment => {
            let defaults = payment_service::config::Config::new(data, broker.url);
            let config = payment_service::config::Config { broker_token: broker.token, ..defaults };
            payment_service::run(listener, config, ready, stop).await
        }
        Part::Email => {
            let defaults = email_service::config::Config::new(data, broker.url);
            let config = email_service::config::Config { broker_token: broker.token, ..defaults };
            email_service::run(listener, config, ready, stop).await
        }
        Part::Analytics => {
            let defaults = analytics_service::config::Config::new(data, broker.url);
            let config = analytics_service::config::Config { broker_token: broker.token, ..defaults };
            analytics_service::run(listener, config, ready, stop).await
        }
    }
}
