//! The workspace's programs as processes: started, found by what they print, killed by their id.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::OnceLock,
    time::Duration,
};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStdout},
};

/// How long a program may take to say `ready`.
const START: Duration = Duration::from_secs(60);

/// The folder of the built programs. Built once a test run, as the tests themselves were: cargo finds
/// most of it built already. All of the workspace, since one package alone would ask for its dependencies
/// with fewer features, and have them built again.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let own = std::env::current_exe().expect("a running program has a path");
        // target/debug/deps/system-… or target/release/kills
        let mut folders = own.ancestors().skip(1);
        let is_programs = |folder: &&Path| !folder.ends_with("deps");
        let folder = folders.find(is_programs).expect("a program lies in a folder").to_owned();
        let profile: &[&str] = if folder.ends_with("release") { &["--release"] } else { &[] };
        let status = Command::new(env!("CARGO"))
            .args(["build", "--workspace", "--bins", "--quiet"])
            .args(profile)
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
            .status()
            .expect("cargo runs, since it runs this test");
        assert!(status.success(), "cargo build failed");
        folder
    })
}

/// The first of `count` ports in a row that are free now. They lie below those that systems give to
/// outgoing connections, so that a program that is killed finds its port free again.
///
/// # Panics
/// When a hundred tries find none.
#[must_use]
pub fn free_ports(count: u16) -> u16 {
    let is_free = |port| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
    let tries = (0..100).map(|_| rand::random_range(10_000..32_000));
    let mut found = tries.filter(|first| (*first..first + count).all(is_free));
    found.next().expect("some ports of thousands are free")
}

/// How a program is started, the first time and again.
#[derive(Debug)]
struct Launch {
    /// A command that ends in running what is handed to it; none for the program itself.
    by: Vec<String>,
    name: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    log: PathBuf,
}

/// A running program. It is killed when dropped.
#[derive(Debug)]
pub struct Program {
    launch: Launch,
    child: Child,
    urls: HashMap<String, String>,
}

impl Program {
    /// Starts a program and waits until it says `ready`. Its log goes to a file in `logs`.
    ///
    /// # Errors
    /// When it ends before, or takes too long; with the end of its log.
    pub async fn start(name: &str, arguments: &[&str], logs: &Path) -> anyhow::Result<Self> {
        Self::start_in(&[], name, arguments, logs).await
    }

    /// The same with some variables of its environment set.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_in(
        environment: &[(&str, &str)],
        name: &str,
        arguments: &[&str],
        logs: &Path,
    ) -> anyhow::Result<Self> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let launch = Launch::new(name, arguments, logs);
        Self::launched(Launch { environment: environment.iter().map(owned).collect(), ..launch }).await
    }

    /// The same by a command that ends in running what is handed to it.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_by(by: &[&str], name: &str, arguments: &[&str], logs: &Path) -> anyhow::Result<Self> {
        Self::launched(Launch { by: owned(by), ..Launch::new(name, arguments, logs) }).await
    }

    async fn launched(launch: Launch) -> anyhow::Result<Self> {
        let (child, urls) = launch.start().await?;
        Ok(Self { launch, child, urls })
    }

    /// Where a server of that name listens.
    ///
    /// # Panics
    /// When the program printed no such line.
    #[must_use]
    pub fn url(&self, server: &str) -> &str {
        self.urls.get(server).unwrap_or_else(|| panic!("{} printed no line for {server}", self.launch.name))
    }

    /// Where the program's only server listens.
    #[must_use]
    pub fn own_url(&self) -> &str {
        self.url(&self.launch.name)
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// When it has ended already.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        Ok(kill_process(self.pid()?, signal)?)
    }

    /// Its process id.
    ///
    /// # Errors
    /// When it has ended already.
    pub fn pid(&self) -> anyhow::Result<Pid> {
        let pid = self.child.id().context("it has ended already")?;
        Pid::from_raw(i32::try_from(pid)?).context("a process id is not zero")
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// When it does not within `limit`.
    pub async fn ended(&mut self, limit: Duration) -> anyhow::Result<ExitStatus> {
        Ok(tokio::time::timeout(limit, self.child.wait()).await.context("it does not end")??)
    }

    /// Ends it at once, as kill -9 does, and waits until it is gone.
    ///
    /// # Errors
    /// When it can't be waited for.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.child.start_kill()?;
        self.child.wait().await?;
        Ok(())
    }

    /// Asks it to stop, as SIGTERM does, and gives its exit status.
    ///
    /// # Errors
    /// When it does not end in 30 s.
    pub async fn terminate(&mut self) -> anyhow::Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        self.ended(Duration::from_secs(30)).await
    }

    /// Starts it again with the arguments it had, on the ports it had.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        (self.child, self.urls) = self.launch.start().await?;
        Ok(())
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

impl Launch {
    fn new(name: &str, arguments: &[&str], logs: &Path) -> Self {
        let log = logs.join(format!("{name}-{}.log", std::process::id()));
        let (by, environment) = (Vec::new(), Vec::new());
        Self { by, name: name.to_owned(), arguments: owned(arguments), environment, log }
    }

    fn command(&self) -> tokio::process::Command {
        let program = folder().join(&self.name);
        let Some((first, rest)) = self.by.split_first() else { return tokio::process::Command::new(program) };
        let mut command = tokio::process::Command::new(first);
        command.args(rest).arg(program);
        command
    }

    async fn start(&self) -> anyhow::Result<(Child, HashMap<String, String>)> {
        let Self { name, log, .. } = self;
        let to = std::fs::File::options().create(true).append(true).open(log)?;
        let mut child = self
            .command()
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(to)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("can't start {name}"))?;
        let out = child.stdout.take().context("stdout is piped")?;
        let urls = tokio::time::timeout(START, read_until_ready(out)).await;
        match urls {
            Ok(Ok(urls)) => Ok((child, urls)),
            Ok(Err(error)) => {
                Err(error.context(format!("{name} did not start; its log ends: {}", end_of(log))))
            }
            Err(_) => anyhow::bail!("{name} was not ready in {START:?}; its log ends: {}", end_of(log)),
        }
    }
}

async fn read_until_ready(out: ChildStdout) -> anyhow::Result<HashMap<String, String>> {
    let (mut urls, mut lines) = (HashMap::new(), BufReader::new(out).lines());
    while let Some(line) = lines.next_line().await? {
        if line == "ready" {
            // Whatever else it prints must not fill the pipe and stop it.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok(urls);
        }
        if let Some((name, url)) = line.split_once(' ') {
            urls.insert(name.to_owned(), url.to_owned());
        }
    }
    anyhow::bail!("it ended before it was ready")
}

fn end_of(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

/// Runs a program to its end and gives its status and all that it printed.
///
/// # Errors
/// When it can't be started, or takes longer than `limit`.
pub async fn run(name: &str, arguments: &[&str], limit: Duration) -> anyhow::Result<(ExitStatus, String)> {
    let output = tokio::process::Command::new(folder().join(name))
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(limit, output)
        .await
        .with_context(|| format!("{name} took over {limit:?}"))??;
    let printed = [output.stdout, output.stderr].concat();
    Ok((output.status, String::from_utf8_lossy(&printed).into_owned()))
}
