//! What is different where people sit at a terminal: colour, questions, bars, and its width.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Write as _},
    process::{Child, Command},
    sync::mpsc::{Receiver, channel},
    thread,
};

use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

use crate::broker::{Broker, PATIENCE};

/// A program at a terminal of its own.
pub(crate) struct Terminal {
    child: Child,
    keyboard: File,
    screen: Receiver<String>,
    shown: String,
}

impl Terminal {
    pub(crate) fn start(mut command: Command, columns: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let size = Winsize { ws_row: 40, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).unwrap();
        let path = ptsname(&master, Vec::new()).unwrap();
        let side = OpenOptions::new().read(true).write(true).open(path.to_str().unwrap()).unwrap();
        command.env("TERM", "xterm-256color").stdin(side.try_clone().unwrap());
        let child = command.stdout(side.try_clone().unwrap()).stderr(side).spawn().unwrap();
        let master = File::from(master);
        let (sender, screen) = channel();
        let mut reading = master.try_clone().unwrap();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // Once the program has ended there is an error instead of an end.
            while let Ok(read @ 1..) = reading.read(&mut bytes) {
                let _ = sender.send(String::from_utf8_lossy(&bytes[..read]).into_owned());
            }
        });
        Self { child, keyboard: master, screen, shown: String::new() }
    }

    /// Waits until that is shown.
    fn until(&mut self, text: &str) {
        while !self.shown.contains(text) {
            let more = self.screen.recv_timeout(PATIENCE);
            self.shown.push_str(&more.unwrap_or_else(|_| panic!("no {text:?}: {}", self.shown)));
        }
    }

    fn enter(&mut self, line: &str) {
        writeln!(self.keyboard, "{line}").unwrap();
    }

    /// Waits for its end; the exit code and all that was shown.
    pub(crate) fn end(mut self) -> (i32, String) {
        while let Ok(more) = self.screen.recv_timeout(PATIENCE) {
            self.shown.push_str(&more);
        }
        (self.child.wait().unwrap().code().unwrap(), self.shown)
    }
}

impl Broker {
    fn at_terminal(&self, arguments: &[&str]) -> Terminal {
        Terminal::start(self.command(arguments), 80)
    }
}

#[test]
fn somebody_is_asked_before_anything_is_lost_for_good() {
    let broker = Broker::with_queue("jobs");
    let mut terminal = broker.at_terminal(&["queues", "delete", "jobs"]);
    terminal.until("Delete the queue jobs? [y/N] ");
    terminal.enter("y");
    let (code, shown) = terminal.end();
    assert!(code == 0 && shown.contains("queue jobs deleted"), "{shown}");
}

#[test]
fn anything_but_yes_changes_nothing() {
    let broker = Broker::with_queue("jobs");
    for answer in ["", "n", "nope", "delete"] {
        let mut terminal = broker.at_terminal(&["queues", "delete", "jobs"]);
        terminal.until("[y/N] ");
        terminal.enter(answer);
        let (code, shown) = terminal.end();
        assert!(code == 1 && shown.contains("nothing was changed"), "{answer:?}: {shown}");
    }
    assert_eq!(broker.count("jobs", "ready"), 0);
}

#[test]
fn yes_and_force_go_ahead_without_asking() {
    let broker = Broker::with_queue("jobs");
    let (code, shown) = broker.at_terminal(&["queues", "purge", "jobs", "--yes"]).end();
    assert!(code == 0 && !shown.contains("[y/N]"), "{shown}");
    let (code, shown) = broker.at_terminal(&["queues", "delete", "jobs", "--force"]).end();
    assert!(code == 0 && !shown.contains("[y/N]"), "{shown}");
}

#[test]
fn colour_is_for_terminals_alone_and_not_with_no_color() {
    let broker = Broker::with_queue("jobs");
    assert!(broker.at_terminal(&["queues"]).end().1.contains("\u{1b}[1mNAME"));
    assert!(!broker.ok(&["queues"]).contains('\u{1b}'));
    let mut command = broker.command(&["queues"]);
    command.env("NO_COLOR", "1");
    assert!(!Terminal::start(command, 80).end().1.contains('\u{1b}'));
}

#[test]
fn a_table_is_as_wide_as_the_terminal_at_the_most() {
    let broker = Broker::with_queue("jobs");
    broker.dead_letter("jobs", "m1", &"no answer from the gateway ".repeat(10));
    for columns in [60, 100] {
        let mut command = broker.command(&["dead-letters", "list", "jobs"]);
        command.env("NO_COLOR", "1");
        let (_, shown) = Terminal::start(command, columns).end();
        let widest = shown.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= columns.into() && widest > usize::from(columns) - 30, "{columns}:\n{shown}");
    }
}

#[test]
fn long_work_shows_how_far_it_is() {
    let broker = Broker::with_queue("jobs");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lines");
    std::fs::write(&file, "x\n".repeat(5000)).unwrap();
    let data = format!("@{}", file.display());
    let (code, shown) = broker.at_terminal(&["publish", "--queue", "jobs", "--lines", &data]).end();
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("messages  ") && shown.contains("5,000 messages published"), "{shown}");
}

#[test]
fn a_paced_redrive_shows_how_far_it_is() {
    let broker = Broker::with_queue("jobs");
    broker.dead_letters("jobs", 60);
    let redrive = ["dead-letters", "redrive", "jobs", "--per-second", "20", "--follow"];
    let (code, shown) = broker.at_terminal(&redrive).end();
    assert!(code == 0 && shown.contains("/60 messages  running"), "{shown}");
}
