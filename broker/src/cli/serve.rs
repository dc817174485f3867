//! `broker serve`, whether it is named or not: every setting, its default and its variable.

mod positive;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use clap::Args;
use serve::{
    http,
    program::{Listen, LogArgs, parse_address},
    tls::TlsFiles,
};
use units::{Size, parse_duration};

use crate::{api, config::Config, engine::EngineSettings};

/// How the broker serves; its data folder stands beside, since other commands use it too.
#[derive(Args, Clone, Debug)]
pub struct ServeArgs {
    /// Where it listens
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:7070", value_name = "ADDRESS", value_parser = parse_address)]
    pub listen: SocketAddr,
    /// Serve other than loopback addresses although there are no tokens and everybody may do everything
    #[arg(long, env = "ALLOW_ANONYMOUS")]
    pub allow_anonymous: bool,
    /// The certificate to serve HTTPS with, in PEM, with those between it and its authority behind it. This
    /// file and that of the key are taken up again within a second or two whenever they change
    #[arg(long, env = "TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The private key of that certificate, in PEM
    #[arg(long, env = "TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// How many connections are open at a time; further ones wait
    #[arg(long, env = "MAX_CONNECTIONS", default_value = "4096", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections: u32,
    /// How many requests are worked on at a time; further ones get 503
    #[arg(long, env = "MAX_REQUESTS", default_value = "1024", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_requests: u32,
    /// How many receives wait for a message at a time; they don't count among the requests
    #[arg(long, env = "MAX_WAITING_RECEIVES", default_value = "4096", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_waiting_receives: u32,
    /// How many watch GET /events at a time
    #[arg(long, env = "MAX_WATCHERS", default_value = "64", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_watchers: u32,
    /// How many queues and topics there may be in all
    #[arg(long, env = "MAX_QUEUES", default_value = "10000", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_queues: u32,
    /// How large the head of a request may be, path and headers
    #[arg(long, env = "MAX_HEADER_SIZE", default_value = "32KiB", value_name = "SIZE", value_parser = positive::size)]
    pub max_header_size: Size,
    /// How many headers a request may have
    #[arg(long, env = "MAX_HEADERS", default_value = "100", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_headers: u32,
    /// How large the data of one message may be, and its attributes
    #[arg(long, env = "MAX_MESSAGE_SIZE", default_value = "1MiB", value_name = "SIZE", value_parser = positive::size)]
    pub max_message_size: Size,
    /// How large the body of one request may be
    #[arg(long, env = "MAX_REQUEST_SIZE", default_value = "16MiB", value_name = "SIZE", value_parser = positive::size)]
    pub max_request_size: Size,
    /// How many bytes of requests are held in memory at a time; further ones get 503
    #[arg(long, env = "MAX_REQUEST_MEMORY", default_value = "256MiB", value_name = "SIZE", value_parser = positive::size)]
    pub max_request_memory: Size,
    /// How many bytes of answers are held in memory until their clients have read them, of receives and of
    /// all else each; further ones get 503
    #[arg(long, env = "MAX_ANSWER_MEMORY", default_value = "256MiB", value_name = "SIZE", value_parser = positive::size)]
    pub max_answer_memory: Size,
    /// How long a connection may be idle, and how long the head of a request may take to arrive
    #[arg(long, env = "IDLE_TIMEOUT", default_value = "75s", value_name = "DURATION", value_parser = positive::duration)]
    pub idle_timeout: Duration,
    /// How long the body of a request may take to arrive
    #[arg(long, env = "BODY_TIMEOUT", default_value = "30s", value_name = "DURATION", value_parser = positive::duration)]
    pub body_timeout: Duration,
    /// How long a client may take nothing of its answer before its connection is closed
    #[arg(long, env = "WRITE_TIMEOUT", default_value = "30s", value_name = "DURATION", value_parser = positive::duration)]
    pub write_timeout: Duration,
    /// How long one request may take; a long poll takes up to 60s
    #[arg(long, env = "REQUEST_TIMEOUT", default_value = "90s", value_name = "DURATION", value_parser = positive::duration)]
    pub request_timeout: Duration,
    /// How long open requests may go on after the signal to stop
    #[arg(long, env = "DRAIN_TIMEOUT", default_value = "10s", value_name = "DURATION", value_parser = parse_duration)]
    pub drain_timeout: Duration,
    /// Publishes are refused while the disk, and what is free in the broker's own files, has no more room than this
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
        serve::program::main("broker", self.listen(), &self.log, |listener, ready, shutdown| {
            crate::run(listener, config, ready, shutdown)
        })
    }

    /// What no single argument shows.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.max_message_size > self.max_request_size {
            return Err("--max-message-size is above --max-request-size".to_owned());
        }
        if self.max_request_size > self.max_request_memory {
            return Err("--max-request-size is above --max-request-memory".to_owned());
        }
        Ok(())
    }

    /// Where it listens, and how it is spoken to there.
    #[must_use]
    pub fn listen(&self) -> Listen {
        if self.tls_cert.is_some() { Listen::https(self.listen) } else { self.listen.into() }
    }

    fn tls(&self) -> Option<TlsFiles> {
        let (certificate, key) = (self.tls_cert.clone()?, self.tls_key.clone()?);
        Some(TlsFiles { certificate, key })
    }

    /// The settings that these arguments make, on that data folder.
    #[must_use]
    pub fn config(&self, data: PathBuf) -> Config {
        let request = bytes(self.max_request_size);
        Config {
            data,
            allow_anonymous: self.allow_anonymous,
            tls: self.tls(),
            http: http::Limits {
                connections: number(self.max_connections),
                idle_time: self.idle_timeout,
                header_bytes: bytes(self.max_header_size),
                headers: number(self.max_headers),
                body_time: self.body_timeout,
                body: request,
                request_time: self.request_timeout,
                write_time: self.write_timeout,
                requests: number(self.max_requests),
                request_memory: bytes(self.max_request_memory),
                answer_memory: bytes(self.max_answer_memory),
                drain_time: self.drain_timeout,
            },
            api: api::Limits {
                message: bytes(self.max_message_size),
                request,
                waiting_receives: number(self.max_waiting_receives),
            },
            engine: EngineSettings {
                free_space_floor: self.min_free_space.get(),
                watchers: number(self.max_watchers),
                queues: number(self.max_queues),
                answer_memory: bytes(self.max_answer_memory),
                ..EngineSettings::default()
            },
        }
    }
}

fn number(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn bytes(size: Size) -> usize {
    usize::try_from(size.get()).unwrap_or(usize::MAX)
}
