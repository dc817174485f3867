//! A broker as a process on a folder of its own, and the command line that asks it.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take that is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A running broker. It is killed when dropped.
pub(crate) struct Broker {
    child: Child,
    pub(crate) url: String,
    folder: TempDir,
}

/// Starts the program on that folder and waits until it says `ready`; where it is, too.
fn serving(folder: &Path, level: &str, log: impl Into<Stdio>) -> (Child, String) {
    let mut command = program(&["--listen", "127.0.0.1:0", "--log", level, "--data"]);
    let mut child = command.arg(folder).stderr(log).spawn().unwrap();
    let lines = lines(child.stdout.take().unwrap());
    let told: Vec<String> = (0..2).map(|_| lines.recv_timeout(PATIENCE).unwrap()).collect();
    assert_eq!(told[1], "ready");
    let url = told[0].strip_prefix("broker ").unwrap().to_owned();
    (child, url)
}

/// How a command ended and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The program, with nothing of the environment that it could be told by.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_broker"));
    command.env_clear().args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command to its end.
pub(crate) fn ended(mut command: Command) -> Ended {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Runs a broker that has to refuse to serve.
#[track_caller]
pub(crate) fn refuses_to_serve(mut command: Command) -> Ended {
    let mut child = command.spawn().unwrap();
    let told = lines(child.stdout.take().unwrap()).recv_timeout(PATIENCE);
    if told != Err(RecvTimeoutError::Disconnected) {
        child.kill().unwrap();
    }
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(told, Err(RecvTimeoutError::Disconnected), "it serves: {stderr}");
    Ended { code: output.status.code().unwrap(), stdout: String::new(), stderr }
}

/// The lines that a program writes, as they come.
pub(crate) fn lines(stdout: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        while lines.next().is_some_and(|line| sender.send(line).is_ok()) {}
    });
    receiver
}

impl Broker {
    /// Starts one and waits until it says `ready`.
    pub(crate) fn start() -> Self {
        Self::start_in(TempDir::new().unwrap())
    }

    /// Starts one on that folder.
    pub(crate) fn start_in(folder: TempDir) -> Self {
        Self::start_logging(folder, "off", Stdio::inherit())
    }

    /// The same, with that much of a log.
    pub(crate) fn start_logging(folder: TempDir, level: &str, log: impl Into<Stdio>) -> Self {
        let (child, url) = serving(folder.path(), level, log);
        Self { child, url, folder }
    }

    /// Ends it, changes what is in its folder, and starts it again.
    pub(crate) fn restart_after(&mut self, change: impl FnOnce(&Path)) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        change(self.folder());
        (self.child, self.url) = serving(self.folder(), "off", Stdio::inherit());
    }

    /// One that has a queue of that name.
    pub(crate) fn with_queue(name: &str) -> Self {
        let broker = Self::start();
        broker.ok(&["queues", "create", name, "--backoff-initial", "0s"]);
        broker
    }

    /// Sends its process a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(id, signal).unwrap();
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A command that asks this broker.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program(arguments);
        command.env("BROKER_URL", &self.url);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        ended(self.command(arguments))
    }

    /// Runs a command that has something to read.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &[u8]) -> Ended {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended {
            code: output.status.code().unwrap(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// What a command writes that must go well.
    #[track_caller]
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        self.run(arguments).ok()
    }

    /// The one document that a command writes as JSON.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let written = self.ok(&[arguments, &["--json"]].concat());
        assert_eq!(written.matches('\n').count(), 1, "{written}");
        serde_json::from_str(&written).unwrap()
    }

    /// Makes a dead letter of that id, failed for that reason.
    pub(crate) fn dead_letter(&self, queue: &str, id: &str, reason: &str) {
        self.ok(&["publish", "--queue", queue, "data", "--id", id, "--type", "t"]);
        let receipt = self.receipt(queue);
        self.ok(&["nack", queue, &receipt, "--dead-letter", "--reason", reason]);
    }

    /// Makes that many dead letters at once.
    pub(crate) fn dead_letters(&self, queue: &str, number: usize) {
        self.run_with(&["publish", "--queue", queue, "--lines", "-"], "x\n".repeat(number).as_bytes()).ok();
        let received = self.json(&["receive", queue, "--max", &number.to_string()]);
        let deliveries = received["deliveries"].as_array().unwrap();
        let receipts = deliveries.iter().map(|delivery| delivery["receipt"].as_str().unwrap());
        self.ok(&["nack", queue, "--dead-letter"].into_iter().chain(receipts).collect::<Vec<_>>());
        assert_eq!(self.count(queue, "dead"), u64::try_from(number).unwrap());
    }

    /// Receives one message and gives its receipt.
    pub(crate) fn receipt(&self, queue: &str) -> String {
        let received = self.json(&["receive", queue]);
        received["deliveries"][0]["receipt"].as_str().unwrap().to_owned()
    }

    /// A count of a queue.
    pub(crate) fn count(&self, queue: &str, count: &str) -> u64 {
        self.json(&["queues", "show", queue])["counts"][count].as_u64().unwrap()
    }
}

impl Ended {
    /// What it wrote, where it went well.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!((self.code, self.stderr.contains("error")), (0, false), "{self:?}");
        self.stdout
    }

    /// That it ended with a code, wrote nothing, and said this on stderr.
    #[track_caller]
    pub(crate) fn failed(&self, code: i32, says: &str) {
        assert_eq!((self.code, self.stdout.as_str()), (code, ""), "{self:?}");
        assert!(self.stderr.contains(says), "{self:?}");
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The cells of a table's rows, by blanks; the header first.
pub(crate) fn rows(table: &str) -> Vec<Vec<&str>> {
    table.lines().map(|line| line.split_whitespace().collect()).collect()
}
