//! The settings: flags, or the environment variables named with them.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::Parser;
use messaging::transport::Token;
use serve::program::{LogArgs, parse_address};

use crate::mail::Sender;

/// Sends the mails of the order pipeline: to a maildir, or by SMTP.
#[derive(Parser, Clone, Debug)]
#[command(name = "email-service", version)]
pub struct Config {
    /// Where to listen; port 0 takes a free one
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:7074", value_name = "ADDRESS", value_parser = parse_address)]
    pub listen: SocketAddr,
    /// The data folder
    #[arg(long, env = "DATA", default_value = "./data/email-service", value_name = "FOLDER")]
    pub data: PathBuf,
    /// The broker
    #[arg(long, env = "BROKER_URL", default_value = "http://127.0.0.1:7070", value_name = "URL")]
    pub broker_url: String,
    /// A token of the broker, where it wants one; it takes admin:*, to declare the topology
    #[arg(long, env = "BROKER_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub broker_token: Option<Token>,
    /// Send by SMTP, such as smtps://user:password@host; without it mails go to the folder mail in the data folder
    #[arg(long, env = "SMTP_URL", hide_env_values = true, value_name = "URL")]
    pub smtp_url: Option<String>,
    /// How long the SMTP server may take for one mail before it is tried again: 100ms to 5m
    #[arg(long, env = "SMTP_TIMEOUT", default_value = "30s", value_name = "DURATION", value_parser = time_limit)]
    pub smtp_timeout: Duration,
    /// Whom the mails are from
    #[arg(long, env = "MAIL_FROM", default_value = "The shop <shop@example.com>", value_name = "SENDER")]
    pub mail_from: Sender,
    /// How logs are written
    #[command(flatten)]
    pub log: LogArgs,
}

impl Config {
    /// The defaults, with that data folder and broker; no environment variable is read.
    #[must_use]
    pub fn new(data: PathBuf, broker_url: String) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7074)),
            data,
            broker_url,
            broker_token: None,
            smtp_url: None,
            smtp_timeout: Duration::from_secs(30),
            mail_from: "The shop <shop@example.com>".parse().expect("this is a name and an address"),
            log: LogArgs { log: "info".to_owned(), log_format: serve::logs::LogFormat::Text },
        }
    }
}

fn time_limit(text: &str) -> Result<Duration, String> {
    let limit = units::parse_duration(text).map_err(|error| error.to_string())?;
    let range = Duration::from_millis(100)..=Duration::from_secs(300);
    if range.contains(&limit) { Ok(limit) } else { Err("it is 100ms to 5m".to_owned()) }
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
    fn a_wrong_sender_is_refused_by_its_flag() {
        let refused = Config::try_parse_from(["email-service", "--mail-from", "nobody"]).unwrap_err();
        assert!(refused.to_string().contains("--mail-from"), "{refused}");
        assert_eq!(refused.exit_code(), 2);
    }
}
