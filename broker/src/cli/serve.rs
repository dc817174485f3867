//! `broker serve`, whether it is named or not: every setting, its default and its variable.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use clap::Args;
use serve::{http, program::LogArgs};
use units::{Size, parse_duration};

use crate::{api, config::Config, engine::EngineSettings};

/// How the broker serves; its data folder stands beside, since other commands use it too.
#[derive(Args, Clone, Debug)]
pub struct ServeArgs {
    /// Where it listens
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:7070", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// Serve other than loopback addresses although there are no tokens and everybody may do everything
    #[arg(long, env = "ALLOW_ANONYMOUS")]
    pub allow_anonymous: bool,
    /// How many connections are open at a time; further ones wait
    #[arg(long, env = "MAX_CONNECTIONS", default_value = "4096", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections: u32,
    /// How large one message may be
    #[arg(long, env = "MAX_MESSAGE_SIZE", default_value = "1MiB", value_name = "SIZE")]
    pub max_message_size: Size,
    /// How large the body of one request may be
    #[arg(long, env = "MAX_REQUEST_SIZE", default_value = "16MiB", value_name = "SIZE")]
    pub max_request_size: Size,
    /// How long a connection may be silent before the head of a request has arrived
    #[arg(long, env = "IDLE_TIMEOUT", default_value = "75s", value_name = "DURATION", value_parser = parse_duration)]
    pub idle_timeout: Duration,
    /// How long one request may take; a long poll takes up to 60s
    #[arg(long, env = "REQUEST_TIMEOUT", default_value = "90s", value_name = "DURATION", value_parser = parse_duration)]
    pub request_timeout: Duration,
    /// How long open requests may go on after the signal to stop
    #[arg(long, env = "DRAIN_TIMEOUT", default_value = "10s", value_name = "DURATION", value_parser = parse_duration)]
    pub drain_timeout: Duration,
    /// Publishes are refused while the disk has less room than this
    #[arg(long, env = "MIN_FREE_SPACE", default_value = "64MiB", value_name = "SIZE")]
    pub min_free_space: Size,
    /// How logs are written
    #[command(flatten)]
    pub log: LogArgs,
}

impl ServeArgs {
    /// Serves until SIGTERM or ctrl-c.
    pub(super) fn run(&self, data: PathBuf) -> ExitCode {
        let config = self.config(data);
        serve::program::main("broker", self.listen, &self.log, |listener, ready, shutdown| {
            crate::run(listener, config, ready, shutdown)
        })
    }

    /// What no single argument shows.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.max_message_size > self.max_request_size {
            return Err("--max-message-size is above --max-request-size".to_owned());
        }
        Ok(())
    }

    /// The settings that these arguments make, on that data folder.
    #[must_use]
    pub fn config(&self, data: PathBuf) -> Config {
        let request = bytes(self.max_request_size);
        Config {
            data,
            allow_anonymous: self.allow_anonymous,
            http: http::Limits {
                connections: usize::try_from(self.max_connections).unwrap_or(usize::MAX),
                header_time: self.idle_timeout,
                request_time: self.request_timeout,
                body: request,
                drain_time: self.drain_timeout,
            },
            api: api::Limits { message: bytes(self.max_message_size), request },
            engine: EngineSettings {
                free_space_floor: self.min_free_space.get(),
                ..EngineSettings::default()
            },
        }
    }
}

fn bytes(size: Size) -> usize {
    usize::try_from(size.get()).unwrap_or(usize::MAX)
}
