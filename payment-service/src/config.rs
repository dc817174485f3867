//! The settings: flags, or the environment variables named with them.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Parser, ValueEnum};
use messaging::transport::Token;
use serve::program::{LogArgs, parse_address};

/// Authorizes, captures, voids and refunds the payments of the order pipeline, each once.
#[derive(Parser, Clone, Debug)]
#[command(name = "payment-service", version)]
pub struct Config {
    /// Where to listen; port 0 takes a free one
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:7073", value_name = "ADDRESS", value_parser = parse_address)]
    pub listen: SocketAddr,
    /// The data folder; instances of the service share it
    #[arg(long, env = "DATA", default_value = "./data/payment-service", value_name = "FOLDER")]
    pub data: PathBuf,
    /// The broker
    #[arg(long, env = "BROKER_URL", default_value = "http://127.0.0.1:7070", value_name = "URL")]
    pub broker_url: String,
    /// A token of the broker, where it wants one; it takes admin:*, to declare the topology
    #[arg(long, env = "BROKER_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub broker_token: Option<Token>,
    /// Which payment gateway to use
    #[arg(long, env = "GATEWAY", default_value = "sandbox", value_name = "GATEWAY")]
    pub gateway: GatewayKind,
    /// How long to wait for an answer of the gateway before it is looked up: 100ms to 1m
    #[arg(long, env = "GATEWAY_TIMEOUT", default_value = "3s", value_name = "DURATION", value_parser = time_limit)]
    pub gateway_timeout: Duration,
    /// How logs are written
    #[command(flatten)]
    pub log: LogArgs,
}

/// The payment gateways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GatewayKind {
    /// One to try things out with, which keeps its ledger in the data folder
    Sandbox,
}

impl Config {
    /// The defaults, with that data folder and broker; no environment variable is read.
    #[must_use]
    pub fn new(data: PathBuf, broker_url: String) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7073)),
            data,
            broker_url,
            broker_token: None,
            gateway: GatewayKind::Sandbox,
            gateway_timeout: Duration::from_secs(3),
            log: LogArgs { log: "info".to_owned(), log_format: serve::logs::LogFormat::Text },
        }
    }
}

fn time_limit(text: &str) -> Result<Duration, String> {
    let limit = units::parse_duration(text).map_err(|error| error.to_string())?;
    let range = Duration::from_millis(100)..=Duration::from_secs(60);
    if range.contains(&limit) { Ok(limit) } else { Err("it is 100ms to 1m".to_owned()) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_setting_has_a_variable_and_says_what_it_is() {
        let command = Config::command();
        command.clone().debug_assert();
        for setting in command.get_arguments() {
            assert!(setting.get_env().is_some() && setting.get_help().is_some(), "{setting}");
        }
    }

    #[test]
    fn a_gateway_that_is_not_offered_and_a_time_limit_out_of_range_are_refused_by_their_flag() {
        for (flag, value) in
            [("--gateway", "stripe"), ("--gateway-timeout", "99ms"), ("--gateway-timeout", "2m")]
        {
            let refused = Config::try_parse_from(["payment-service", flag, value]).unwrap_err();
            assert!(refused.to_string().contains(flag), "{refused}");
            assert_eq!(refused.exit_code(), 2);
        }
    }
}
