//! What every `main` does: read the arguments, start the logs, listen, say where, stop on a signal.

use std::{
    fs::DirBuilder, future::Future, io::Write, net::SocketAddr, os::unix::fs::DirBuilderExt as _, path::Path,
    process::ExitCode, sync::Arc,
};

use anyhow::Context;
use clap::Args;
use tokio::{net::TcpListener, sync::Notify};
use tokio_util::sync::CancellationToken;

use crate::logs::{self, LogFormat};

/// The arguments that say how logs are written; flatten them into a program's own.
#[derive(Args, Clone, Debug)]
pub struct LogArgs {
    /// The level of the logs on stderr: error, warn, info, debug, trace, or targets such as broker=debug,info
    #[arg(long, env = "LOG", default_value = "info", value_name = "LEVEL")]
    pub log: String,
    /// How a line of the log looks
    #[arg(long, env = "LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    pub log_format: LogFormat,
}

/// Tells whoever started a server that it now serves; clones tell the same.
#[derive(Clone, Debug, Default)]
pub struct Ready(Arc<Notify>);

impl Ready {
    /// Not ready yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// It serves. One waiter is woken, or the next one that comes.
    pub fn set(&self) {
        self.0.notify_one();
    }

    /// Waits until it serves.
    pub async fn wait(&self) {
        self.0.notified().await;
    }
}

/// Where a program listens, and how it is spoken to there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen {
    address: SocketAddr,
    scheme: &'static str,
}

impl Listen {
    /// Over TLS.
    #[must_use]
    pub const fn https(address: SocketAddr) -> Self {
        Self { address, scheme: "https" }
    }
}

impl From<SocketAddr> for Listen {
    fn from(address: SocketAddr) -> Self {
        Self { address, scheme: "http" }
    }
}

/// Reads where to listen.
///
/// # Errors
/// When it is not an IP address and a port, with an example.
pub fn parse_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "write an IP address and a port, such as 127.0.0.1:7070".to_owned())
}

/// Runs a server as a program: prints `NAME http://ADDRESS` (or `https`) once it listens and `ready` once it serves,
/// and stops it on SIGTERM or ctrl-c; SIGHUP ends nothing. Answers 0 after a clean stop and 1 after a failure,
/// whose causes go to stderr. (clap has answered wrong arguments with 2 by then.)
pub fn main<F>(
    name: &str,
    listen: impl Into<Listen>,
    log: &LogArgs,
    run: impl FnOnce(TcpListener, Ready, CancellationToken) -> F,
) -> ExitCode
where
    F: Future<Output = anyhow::Result<()>>,
{
    let _logs = match logs::start(name, &log.log, log.log_format) {
        Ok(logs) => logs,
        Err(error) => {
            complain(&error);
            return ExitCode::from(2);
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&anyhow::Error::from(error)),
    };
    match runtime.block_on(serve(name, listen.into(), run)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

async fn serve<F>(
    name: &str,
    listen: Listen,
    run: impl FnOnce(TcpListener, Ready, CancellationToken) -> F,
) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>>,
{
    let Listen { address, scheme } = listen;
    let listener = TcpListener::bind(address).await.with_context(|| format!("can't listen on {address}"))?;
    let address = listener.local_addr()?;
    let (ready, shutdown) = (Ready::new(), CancellationToken::new());
    cancel_on_signal(shutdown.clone(), HangUp::Told)?;
    let serving = run(listener, ready.clone(), shutdown);
    tokio::pin!(serving);
    tokio::select! {
        ended = &mut serving => return ended,
        () = ready.wait() => {}
    }
    announce_over(scheme, &[(name, address)])?;
    serving.await
}

/// Prints where each server listens, then `ready`, flushed.
///
/// # Errors
/// When stdout is closed.
pub fn announce(servers: &[(&str, SocketAddr)]) -> std::io::Result<()> {
    announce_over("http", servers)
}

fn announce_over(scheme: &str, servers: &[(&str, SocketAddr)]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for (name, address) in servers {
        writeln!(out, "{name} {scheme}://{address}")?;
    }
    writeln!(out, "ready")?;
    out.flush()
}

/// What SIGHUP is to a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HangUp {
    /// The word of others to reload: it ends nothing, and a line of the log says what there is to reload.
    Told,
    /// The terminal is closed: it stops, once, since a terminal may say so more than once.
    Stops,
}

/// Cancels the token at SIGTERM, at ctrl-c, or as the terminal is closed (SIGHUP), unless the program was started to
/// outlive it, as by nohup. A second SIGTERM or ctrl-c ends the process at once, with 1.
///
/// # Errors
/// When the signal handlers can't be installed.
pub fn stop_on_signal(shutdown: CancellationToken) -> std::io::Result<()> {
    // Where the system does not tell, no program was.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let hang_up = if ignores_hang_up(&status) { HangUp::Told } else { HangUp::Stops };
    cancel_on_signal(shutdown, hang_up)
}

/// Whether a process of that status, as Linux writes it, ignores SIGHUP: the first bit of a mask in hexadecimal.
fn ignores_hang_up(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

fn cancel_on_signal(shutdown: CancellationToken, hang_up: HangUp) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut hung_up = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        let mut stopping = false;
        loop {
            let is_hang_up = tokio::select! {
                _ = terminate.recv() => false,
                _ = interrupt.recv() => false,
                _ = hung_up.recv() => true,
            };
            if is_hang_up && hang_up == HangUp::Told {
                tracing::info!(
                    "SIGHUP: nothing is reloaded by it; a certificate is taken up as its file changes"
                );
            } else if !std::mem::replace(&mut stopping, true) {
                tracing::info!("stopping");
                shutdown.cancel();
            } else if !is_hang_up {
                std::process::exit(1);
            }
        }
    });
    Ok(())
}

fn failed(error: &anyhow::Error) -> ExitCode {
    complain(&chain(error));
    ExitCode::FAILURE
}

/// What went wrong and its causes, each once: many an error names its cause itself.
#[must_use]
pub fn chain(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if told.is_empty() {
            told = cause;
        } else if !told.ends_with(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    told
}

fn complain(what: &dyn std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "error: {what}");
}

/// A data folder: made where it is missing, with mode 0700, as each that it is in.
///
/// # Errors
/// When it can't be made, with its path.
pub fn make_folder(folder: &Path) -> anyhow::Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("can't make the data folder {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn who_was_started_to_outlive_its_terminal_is_told_by_the_first_bit() {
        for (ignored, mask) in [(true, "0000000000001001"), (false, "0000000000001000")] {
            assert_eq!(ignores_hang_up(&format!("SigBlk:\t{:016}\nSigIgn:\t{mask}\n", 1)), ignored);
        }
        assert!(!ignores_hang_up(""));
    }

    #[test]
    fn a_cause_that_its_error_names_is_told_once() {
        let names_it = anyhow!("no room").context("can't write: no room");
        assert_eq!(chain(&names_it.context("the folder")), "the folder: can't write: no room");
        assert_eq!(chain(&anyhow!("no room").context("can't write")), "can't write: no room");
    }
}
