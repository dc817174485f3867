//! The real program as a process: started on a folder, spoken to over HTTP, killed by its id.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
};

use reqwest::{Client, Method};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A running program. It is killed when dropped.
pub(crate) struct Program {
    child: Child,
    url: String,
    client: Client,
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_broker"));
    command.args(["--listen", "127.0.0.1:0", "--data"]).arg(folder).env("LOG", "off");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Program {
    /// Starts it on a folder and waits until it says `ready`.
    pub(crate) fn start(folder: &Path) -> Self {
        Self::spawn(command(folder).stderr(Stdio::inherit()))
    }

    /// The same, with its log in a file.
    pub(crate) fn start_logging(folder: &Path, log: &Path) -> Self {
        Self::spawn(command(folder).env("LOG", "warn").stderr(File::create(log).unwrap()))
    }

    fn spawn(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let told: Vec<_> = lines.map(Result::unwrap).take(2).collect();
        assert_eq!(told.get(1).map(String::as_str), Some("ready"), "it said {told:?}");
        let url = told[0].strip_prefix("broker ").unwrap().to_owned();
        Self { child, url, client: Client::new() }
    }

    /// Starts it where it can't; how it ends and what it says about it.
    pub(crate) fn refused(folder: &Path) -> (ExitStatus, String) {
        let mut child = command(folder).spawn().unwrap();
        let (mut said, ended) = (String::new(), child.wait().unwrap());
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (ended, said)
    }

    /// What can be asked while it lives and after.
    pub(crate) fn caller(&self) -> Caller {
        Caller { url: self.url.clone(), client: self.client.clone() }
    }

    /// Ends it at once, as kill -9 does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, as SIGTERM does.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        let id = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(id, Signal::TERM).unwrap();
        self.child.wait().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command of the program to its end; how it ended, and what it said on stdout and stderr.
pub(crate) fn run(arguments: &[&str]) -> (ExitStatus, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_broker"));
    let output = command.args(arguments).stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status, text(output.stdout), text(output.stderr))
}

/// The same of a command that must succeed; what it said on stdout.
pub(crate) fn run_well(arguments: &[&str]) -> String {
    let (ended, said, complained) = run(arguments);
    assert!(ended.success(), "{arguments:?} ended with {ended}: {said}{complained}");
    said
}

/// Speaks to one program.
#[derive(Clone)]
pub(crate) struct Caller {
    url: String,
    client: Client,
}

impl Caller {
    /// The answer of a call; `None` when there was none, because the program is gone.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Value) -> Option<Value> {
        self.send(method, path, "application/json", body).await
    }

    /// The same for a batch of events.
    pub(crate) async fn publish(&self, path: &str, events: Value) -> Option<Value> {
        self.send(Method::POST, path, "application/cloudevents-batch+json", events).await
    }

    async fn send(&self, method: Method, path: &str, content_type: &str, body: Value) -> Option<Value> {
        let url = format!("{}{path}", self.url);
        let request = self.client.request(method, url).header("content-type", content_type);
        let answer = request.body(body.to_string()).send().await.ok()?;
        let status = answer.status();
        let body = answer.bytes().await.ok()?;
        assert!(status.is_success(), "{path} answered {status}: {}", String::from_utf8_lossy(&body));
        Some(serde_json::from_slice(&body).unwrap())
    }
}
