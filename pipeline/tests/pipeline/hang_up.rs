//! `up` and `demo` as programs whose terminal is closed: they stop, unless they were started to outlive it.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::{TempDir, tempdir};
use tokio::{
    runtime::Builder,
    signal::unix::{SignalKind, signal},
};

/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running program with a folder for its data and its log. It is killed when dropped.
struct Running {
    child: Child,
    folder: TempDir,
}

impl Running {
    /// Starts the program by a shell that does `first` what is said, and waits until it prints such a line.
    fn start(first: &str, arguments: &[&str], line: &str) -> Self {
        hear_hang_ups();
        let folder = tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{first} exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_pipeline")]);
        command.args(arguments).env("DATA", folder.path().join("data")).env("PORT", "0");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(log(&folder)).unwrap());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (told, is_told) = std::sync::mpsc::channel();
        let line = line.to_owned();
        thread::spawn(move || {
            lines.map_while(Result::ok).filter(|it| it.contains(&line)).for_each(|_| _ = told.send(()));
        });
        let running = Self { child, folder };
        is_told.recv_timeout(PATIENCE).unwrap();
        running
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn log(&self) -> String {
        fs::read_to_string(log(&self.folder)).unwrap()
    }

    fn ended(&mut self) -> ExitStatus {
        until("it to end", || self.child.try_wait().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Handles SIGHUP here, and with that gives programs that are started its default back: the test may itself run under
/// nohup.
fn hear_hang_ups() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let _within = runtime.enter();
    drop(signal(SignalKind::hangup()).unwrap());
}

fn log(folder: &TempDir) -> std::path::PathBuf {
    Path::join(folder.path(), "log")
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let give_up = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < give_up, "waited for {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_pipeline_whose_terminal_is_closed_stops_cleanly() {
    let mut pipeline = Running::start("", &["up"], "ready");
    pipeline.signal(Signal::HUP);
    pipeline.signal(Signal::HUP);
    let ended = pipeline.ended();
    assert_eq!(ended.code(), Some(0), "{ended}: {}", pipeline.log());
}

#[test]
fn a_demo_whose_terminal_is_closed_stops_its_pipeline() {
    let mut demo = Running::start("", &["demo"], "A shop's day");
    demo.signal(Signal::HUP);
    assert_eq!((demo.ended().code(), demo.log().as_str()), (Some(1), "error: interrupted\n"));
}

#[test]
fn a_pipeline_that_is_to_outlive_its_terminal_goes_on() {
    let mut pipeline = Running::start("trap '' HUP;", &["up"], "ready");
    pipeline.signal(Signal::HUP);
    until("the hang-up to be told", || {
        pipeline.log().contains("SIGHUP: nothing is reloaded by it").then_some(())
    });
    assert!(!pipeline.log().contains("stopping"), "{}", pipeline.log());
    pipeline.signal(Signal::TERM);
    assert_eq!(pipeline.ended().code(), Some(0));
}
