//! order-service's settings: flags, or the environment variables named with them.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::Parser;
use messaging::transport::Token;
use serve::{
    logs::LogFormat,
    program::{LogArgs, parse_address},
};

/// Takes orders, and sees each of them through to confirmed or cancelled.
#[derive(Clone, Debug, Parser)]
#[command(name = "order-service", version)]
pub struct Config {
    /// The address to listen on
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:7071", value_name = "ADDRESS", value_parser = parse_address)]
    pub listen: SocketAddr,
    /// The data folder; several instances may share it
    #[arg(long, env = "DATA", default_value = "./data/order-service", value_name = "FOLDER")]
    pub data: PathBuf,
    /// Where the broker is
    #[arg(long, env = "BROKER_URL", default_value = "http://127.0.0.1:7070", value_name = "URL")]
    pub broker_url: String,
    /// A token of the broker, where it wants one; it takes admin:*, to declare the topology
    #[arg(long, env = "BROKER_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub broker_token: Option<Token>,
    /// An order that is still pending after this time is cancelled: 1ms to 365d
    #[arg(long, env = "DEADLINE", default_value = "15m", value_name = "DURATION", value_parser = span)]
    pub deadline: Duration,
    /// A cancelled order whose void, refund or release was not heard of after this time shows in its
    /// attention: 1ms to 365d
    #[arg(long, env = "COMPENSATION_DEADLINE", default_value = "15m", value_name = "DURATION", value_parser = span)]
    pub compensation_deadline: Duration,
    /// How many events of a queue are handled at a time: 1 to 1000
    #[arg(long, env = "CONCURRENCY", default_value_t = 64, value_name = "N", value_parser = concurrency)]
    pub concurrency: usize,
    /// How logs are written.
    #[command(flatten)]
    pub log: LogArgs,
}

impl Config {
    /// The defaults, with that data folder and broker; no environment variable is read.
    #[must_use]
    pub fn new(data: PathBuf, broker_url: String) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7071)),
            data,
            broker_url,
            broker_token: None,
            deadline: Duration::from_secs(15 * 60),
            compensation_deadline: Duration::from_secs(15 * 60),
            concurrency: 64,
            log: LogArgs { log: "info".to_owned(), log_format: LogFormat::Text },
        }
    }
}

/// A duration that makes sense as a deadline.
fn span(text: &str) -> Result<Duration, String> {
    let duration = units::parse_duration(text).map_err(|error| error.to_string())?;
    let year = Duration::from_secs(365 * 24 * 3600);
    if duration.is_zero() || duration > year {
        return Err("is 1ms to 365d".to_owned());
    }
    Ok(duration)
}

fn concurrency(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| (1..=1000).contains(n)).ok_or_else(|| "is 1 to 1000".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_has_the_same_value_by_flags_and_by_code() {
        let parsed = Config::try_parse_from(["order-service"]).unwrap();
        let made = Config::new("./data/order-service".into(), "http://127.0.0.1:7070".to_owned());
        assert_eq!(format!("{parsed:?}"), format!("{made:?}"));
    }

    #[test]
    fn a_wrong_setting_is_refused() {
        for wrong in [
            &["--deadline", "0s"][..],
            &["--deadline", "soon"],
            &["--concurrency", "0"],
            &["--listen", "nowhere"],
            &["--unknown", "1"],
        ] {
            let arguments = ["order-service"].iter().chain(wrong);
            assert!(Config::try_parse_from(arguments).is_err(), "{wrong:?}");
        }
    }
}
