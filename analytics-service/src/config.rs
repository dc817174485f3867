//! The settings: flags, or the environment variables named with them.

use std::{net::SocketAddr, path::PathBuf};

use clap::Parser;
use messaging::transport::Token;
use serve::program::{LogArgs, parse_address};

/// Counts what happens in the order pipeline, at most once.
#[derive(Parser, Clone, Debug)]
#[command(name = "analytics-service", version)]
pub struct Config {
    /// Where to listen; port 0 takes a free one
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:7075", value_name = "ADDRESS", value_parser = parse_address)]
    pub listen: SocketAddr,
    /// The data folder
    #[arg(long, env = "DATA", default_value = "./data/analytics-service", value_name = "FOLDER")]
    pub data: PathBuf,
    /// The broker
    #[arg(long, env = "BROKER_URL", default_value = "http://127.0.0.1:7070", value_name = "URL")]
    pub broker_url: String,
    /// A token of the broker, where it wants one; it takes admin:*, to declare the topology
    #[arg(long, env = "BROKER_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub broker_token: Option<Token>,
    /// How logs are written
    #[command(flatten)]
    pub log: LogArgs,
}

impl Config {
    /// The defaults, with that data folder and broker; no environment variable is read.
    #[must_use]
    pub fn new(data: PathBuf, broker_url: String) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7075)),
            data,
            broker_url,
            broker_token: None,
            log: LogArgs { log: "info".to_owned(), log_format: serve::logs::LogFormat::Text },
        }
    }
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
}
