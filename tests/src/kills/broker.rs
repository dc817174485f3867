//! The broker's process, and what can be done to it.

use std::{
    io::Write as _,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use rustix::process::{Resource, Rlimit, Signal, prlimit};
use tempfile::NamedTempFile;

use super::trouble::Trouble;
use crate::programs::{self, Program, free_ports};

/// How long something may take that takes milliseconds on an idle machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A broker on a folder.
#[derive(Debug)]
pub(super) struct Broker {
    program: Program,
    data: PathBuf,
    runs: bool,
}

impl Broker {
    pub(super) async fn start(trouble: Trouble, folder: &Path, logs: &Path) -> anyhow::Result<Self> {
        let data = folder.join("broker");
        let listen = format!("127.0.0.1:{}", free_ports(1));
        let path = data.to_str().context("a temporary folder has a readable name")?;
        let own = ["--listen", &listen, "--data", path, "--log", "error"];
        let arguments = [&own[..], trouble.arguments()].concat();
        let program = Program::start_by(trouble.by(), "broker", &arguments, logs).await?;
        Ok(Self { program, data, runs: true })
    }

    pub(super) fn url(&self) -> &str {
        self.program.own_url()
    }

    pub(super) fn runs(&self) -> bool {
        self.runs
    }

    pub(super) async fn kill(&mut self) -> anyhow::Result<()> {
        self.runs = false;
        self.program.kill().await
    }

    /// Holds it still for a while.
    pub(super) async fn pause(&self, length: Duration) -> anyhow::Result<()> {
        self.program.signal(Signal::STOP)?;
        tokio::time::sleep(length).await;
        self.program.signal(Signal::CONT)
    }

    /// Lets the system refuse to write any of its files beyond that place: no full disk, but a write that fails.
    /// The log starts anew after each checkpoint, and is written to there at once or soon.
    pub(super) fn let_writes_fail_beyond(&self, bytes: u64) -> anyhow::Result<()> {
        let limit = Rlimit { current: Some(bytes), maximum: None };
        prlimit(Some(self.program.pid()?), Resource::Fsize, limit)?;
        Ok(())
    }

    /// Takes all the room that its disk has left, until the file is dropped.
    pub(super) fn fill_the_disk(&self) -> anyhow::Result<NamedTempFile> {
        let mut filler = NamedTempFile::new_in(&self.data)?;
        for size in [1 << 20, 1 << 12] {
            while filler.write_all(&vec![0; size]).is_ok() {}
        }
        Ok(filler)
    }

    /// Waits until it has ended itself because it could not write.
    pub(super) async fn ends_by_itself(&mut self) -> anyhow::Result<()> {
        let status = self.program.ended(PATIENCE).await?;
        self.runs = false;
        ensure!(
            status.signal() == Some(Signal::ABORT.as_raw()),
            "it ended with {status} although a write failed"
        );
        Ok(())
    }

    /// Starts it again; how long it took until it was ready.
    pub(super) async fn restart(&mut self) -> anyhow::Result<Duration> {
        let began = Instant::now();
        self.program.restart().await?;
        self.runs = true;
        Ok(began.elapsed())
    }

    /// Has its folder checked while it does not run.
    pub(super) async fn verify(&self) -> anyhow::Result<()> {
        let data = self.data.to_str().context("a temporary folder has a readable name")?;
        let (status, said) = programs::run("broker", &["verify", "--data", data], PATIENCE).await?;
        ensure!(status.success(), "the folder is not whole: {said}");
        Ok(())
    }

    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        let status = self.program.terminate().await?;
        ensure!(status.success(), "it was asked to stop and ended with {status}");
        self.verify().await
    }
}
